import { expect } from 'vitest'
import { PoolClosedError } from '../../../src/index.ts'
import { until } from '../../support/until.ts'
import { endOf, timesWritten } from './end-of.ts'
import type { Ends, Fault, Ground } from './fault.ts'
import { expectCleanSessions, expectInvariants, expectNoOthers, expectSlots } from './invariants.ts'
import { Scene } from './scene.ts'
import type { State } from './states.ts'

/** One fault that meets one state. Each step is taken by all cells of the fault together; one that failed stays behind. */
export class Cell {
  readonly fault: Fault
  readonly state: State
  readonly expected: Ends
  /** What a step threw. */
  failure: unknown
  /** When the pool first served after the fault, and when its floor stood again. */
  servedAt = Number.NaN
  floorAt = Number.NaN
  #scene: Scene | undefined
  /** What the pool had lost when the fault struck. */
  #lossesBefore = 0
  /** Whether the pool knows, given what it had when the fault struck. */
  #hasNoticed: () => boolean = () => true

  constructor(fault: Fault, state: State, expected: Ends) {
    this.fault = fault
    this.state = state
    this.expected = expected
  }

  /** @throws where it was not even opened */
  get scene(): Scene {
    if (this.#scene === undefined) throw this.failure
    return this.#scene
  }

  get isOpen(): boolean {
    return this.#scene !== undefined
  }

  async take(step: (cell: Cell) => Promise<unknown>): Promise<void> {
    if (this.failure !== undefined) return
    try {
      await step(this)
    } catch (error) {
      this.failure = error
    }
  }

  async enter(ground: Ground, key: number): Promise<void> {
    this.#scene = await Scene.open(ground, this.fault, this.state, key)
    this.#scene.next = await this.state.enter(this.#scene)
    await expectInvariants(this.#scene)
    const { pool } = this.#scene
    const { size, connecting, closing } = pool.stats()
    const { losses, closed } = this.#scene
    this.#lossesBefore = losses
    const { notice, hits } = this.fault
    const all = notice === 'told' && hits === 'all' ? size + connecting : 0
    // A connection that was lost may be replaced in vain before the loss of the next is seen.
    const open = all > 0 ? size : 0
    this.#hasNoticed = () =>
      (this.#scene!.losses >= losses + Math.max(1, all) && this.#scene!.closed >= closed + open) ||
      (all === 0 && pool.stats().closing < closing) ||
      pool.isClosing
  }

  /** The pool gets to know, its users go on, and those end whom the fault hurts. */
  async meet(): Promise<void> {
    const { scene, fault } = this
    const isNoticed = () => until(`"${scene.applicationName}" notices`, this.#hasNoticed, 10_000)
    if (fault.notice === 'told') await isNoticed()
    scene.next.goOn?.()
    expectSlots(scene.pool)
    const hurt = Object.keys(this.expected).filter((name) => this.expected[name] !== 'done')
    await scene.ended(hurt)
    if (fault.notice !== 'never' && hurt.length === 0) await isNoticed()
    expectSlots(scene.pool)
  }

  /** I10: serves, and has its floor, again. */
  async recover(): Promise<void> {
    const { pool, applicationName } = this.scene
    const serves = async () => (await endOf(pool.fetchVal('select 1', [], { timeout: '10s' }))) === 'done'
    await until(`"${applicationName}" serves`, serves, 10_000)
    this.servedAt = performance.now()
    await until(`"${applicationName}" has its floor`, () => pool.size >= pool.minSize, 10_000)
    this.floorAt = performance.now()
  }

  /** All users are done, and what they leave is as it should be. */
  async settle(): Promise<void> {
    const { scene, fault } = this
    await scene.ended()
    await scene.released
    if (fault.endsPool) {
      await expect(scene.pool.acquire()).rejects.toThrow(PoolClosedError)
      return
    }
    await expectInvariants(scene)
    await expectCleanSessions(scene)
    if (fault.keepsConnections) expect(scene.losses).toBe(this.#lossesBefore)
    await expectNoOthers(scene, fault.lasts ? [scene.victim] : [])
  }

  async close(): Promise<void> {
    const { fault } = this
    const { pool, proxy, ground, applicationName } = this.scene
    await (fault.endsPool ? pool.terminate() : pool.close({ timeout: '5s' }))
    expect(pool.stats()).toMatchObject({ size: 0, connecting: 0, closing: 0, waiting: 0 })
    await proxy?.close()
    await until(`no backend of "${applicationName}" is left`, async () => {
      return (await ground.observer.backendsOf(applicationName)).length === 0
    })
  }

  /** I5: every write is in the ledger as often as its end allows. */
  async audit(): Promise<void> {
    const { scene } = this
    for (const [name, end] of scene.writes) {
      const [row] = await scene.ground.observer.query<{ times: number }>(
        'select count(*)::int as times from ledger where entry = $1',
        [scene.entry(name)],
      )
      expect(timesWritten(end), `${name}: ${end}`).toContain(row!.times)
    }
  }
}
