import type { Life } from './life.ts'

/** I10, in milliseconds from the end of the faults: the first success, and the floor. */
const firstSuccessWithin = 1_000
const floorWithin = 2_000
/** For so long, in milliseconds, calls that were begun before may still end badly: the faults are over when they have. */
const aftermath = 300
/** So many things may happen on the way; a pool that does more does it without end. */
const mostEvents = 20_000

/** The faults end. The pool must recover, end, and leave nothing: I10, R13, I9. */
export async function drain(life: Life, settle: () => Promise<void>): Promise<void> {
  const { world, model, callers } = life
  const { clock } = world
  const isFine = () => world.violation === undefined
  /** Goes on until `isDone`, at most until `end`; all that is held meanwhile comes back. */
  const goOn = async (end: number, isDone: () => boolean): Promise<void> => {
    for (let i = 0; isFine() && !(isDone() && !clock.isBehind); i++) {
      life.releaseAll()
      await settle()
      if (isDone() && !clock.isBehind) return
      if (i > mostEvents) world.violate('I9', 'the pool does not come to rest')
      if (life.held > 0) continue
      if (!clock.fireNext(end)) {
        clock.goOn(end)
        await settle()
        return
      }
      await settle()
    }
  }

  world.log('calm')
  world.calm()
  await settle()
  if (!model.isEnding && model.phase !== 'new') {
    if (model.phase === 'suspended') life.resume()
    const begin = clock.now() + aftermath
    await goOn(begin + firstSuccessWithin, () => model.open > 0 || model.minSize === 0 || model.isEnding)
    if (isFine() && !model.isEnding && model.open === 0 && model.minSize > 0) {
      world.violate('I10', 'no connection comes within a second')
    }
    const stands = () => (model.open >= model.minSize && callers.pending.size === 0) || model.isEnding
    await goOn(begin + floorWithin, stands)
    if (isFine() && !stands()) world.violate('I10', 'the floor is not back, or somebody waits still')
  }
  if (!isFine()) return
  if (!model.isEnding) {
    if (world.random.chance(0.5)) life.close()
    else life.terminate()
  }
  await goOn(clock.now() + 120_000, () => model.phase === 'closed')
  if (!isFine()) return
  if (model.phase !== 'closed') world.violate('R13', 'the pool does not end')
  // Who still holds a connection gives it back to a pool that is no more.
  life.releaseAll()
  await goOn(Number.POSITIVE_INFINITY, () => clock.next === Number.POSITIVE_INFINITY)
  if (!isFine()) return
  if (clock.timers > 0) world.violate('I9', `${clock.timers} timers are left`)
  if (model.taken.size > 0) world.violate('I9', `${model.taken.size} connections are left`)
  if (callers.pending.size > 0) world.violate('I9', `${callers.pending.size} callers are left`)
  if (life.held > 0 || life.observer.holdings.size > 0) world.violate('I9', 'hand-outs are left')
  if (life.span.unsettled > 0) world.violate('I9', `${life.span.unsettled} promises are left`)
}
