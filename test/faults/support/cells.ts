import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { primaryAndStandby, type Replication } from '../../support/primary-and-standby.ts'
import { adminQuery, anyServer, freshDatabase, ownServer, type RunningServer } from '../../support/servers.ts'
import { until } from '../../support/until.ts'
import { Cell } from './cell.ts'
import { type Fault, type Ground, Senseless } from './fault.ts'
import { openHandles } from './invariants.ts'
import { Observer } from './observer.ts'
import { ledger } from './scene.ts'
import { states } from './states.ts'

/** Milliseconds from the server's accepting again: to the first success, and until the floor is back. */
const bounds = { served: 1_000, floor: 2_000 }

let own: Promise<RunningServer> | undefined
let two: Promise<Replication> | undefined
afterAll(async () => {
  await (await own)?.stop()
  await (await two)?.stop()
})

/** The place for a fault; a file's faults share its own servers. */
async function prepare({ needs }: Fault): Promise<Ground> {
  if (needs === 'own server') own ??= ownServer()
  if (needs === 'two servers') two ??= primaryAndStandby()
  const server = needs === 'own server' ? (await own)!.server : anyServer()
  const replication = needs === 'two servers' ? await two : undefined
  const dsn = replication?.primary.dsn ?? (await freshDatabase(server))
  const addresses = replication === undefined ? [server] : [replication.primary, replication.standby]
  await adminQuery(dsn, ledger)
  return { server, replication, dsn, addresses, observer: new Observer(dsn) }
}

/** Where and when a fault happened, as far as its cells do not know by themselves. */
interface Course {
  /** When the server accepted again. */
  acceptedAt: number
  /** By how much this machine was late meanwhile: the observer's own connect, and this process's stalls. */
  slack: number
  before: ReturnType<typeof openHandles>
}

/** Meets every state with the fault at the same time; what went wrong in a cell stays in it. */
async function play(fault: Fault, cells: readonly Cell[]): Promise<Course> {
  const ground = await prepare(fault)
  const before = openHandles()
  const all = (step: (cell: Cell) => Promise<unknown>) => Promise.all(cells.map((cell) => cell.take(step)))
  const scenes = () => cells.flatMap((cell) => (cell.isOpen ? [cell.scene] : []))
  const stalls = monitorEventLoopDelay({ resolution: 10 })

  const strikesEach = fault.notice === 'by time'
  await all(async (cell) => {
    await cell.enter(ground, cells.indexOf(cell) + 1)
    // Before the time of what has begun is over.
    if (strikesEach) await fault.strike([cell.scene], ground)
  })
  if (!strikesEach) await fault.strike(scenes(), ground)
  const mended = fault.mendsItself ? ground.observer.accepts() : undefined
  const isOver = fault.lasts || (fault.end === undefined && mended === undefined)
  await all(async (cell) => {
    await cell.meet()
    if (isOver) await cell.scene.letGo()
  })
  stalls.enable()
  const recovery = fault.endsPool ? Promise.resolve() : all((cell) => cell.recover())
  if (!fault.lasts) await fault.end?.(scenes(), ground)
  const { at } = await (mended ?? ground.observer.accepts())
  if (!isOver) await all((cell) => cell.scene.letGo())
  const slowest = await ground.observer.slowestConnect(recovery)
  stalls.disable()
  await all((cell) => cell.settle())
  if (fault.lasts) await fault.end?.(scenes(), ground)
  await all((cell) => cell.close())
  await all((cell) => cell.audit())
  await Promise.all(scenes().map((scene) => scene.close()))
  await ground.observer.close()
  return { acceptedAt: at, slack: 3 * slowest + stalls.max / 1e6, before }
}

/** Registers a fault: a test for each state of a connection that it can meet. */
export function crossed(fault: Fault): void {
  describe(fault.name, () => {
    const cells = states.flatMap((state) => {
      const expected = fault.cells[state.name]
      return expected instanceof Senseless ? [] : [new Cell(fault, state, expected)]
    })
    let course: Course

    beforeAll(async () => {
      course = await play(fault, cells)
    }, 60_000)

    it.for(cells.map((cell) => [cell.state.name, cell] as const))('while %s', ([, cell]) => {
      if (cell.failure !== undefined) throw cell.failure
      const matchers = Object.entries(cell.expected).map(([name, end]) => [
        name,
        typeof end === 'string' ? end : expect.stringMatching(end),
      ])
      expect(cell.scene.ends).toEqual(Object.fromEntries(matchers))
      if (fault.endsPool) return
      const since = (at: number) => at - course.acceptedAt - course.slack
      expect(since(cell.servedAt)).toBeLessThanOrEqual(bounds.served)
      expect(since(cell.floorAt)).toBeLessThanOrEqual(bounds.floor)
    })

    it('I9: leaves no socket and no timer', async () => {
      await until('all handles are closed', () => {
        const now = openHandles()
        return Object.entries(course.before).every(([kind, count]) => now[kind]! <= count)
      })
    })
  })
}
