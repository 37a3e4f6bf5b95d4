import type { Life } from './life.ts'
import { SimulatedError } from './world.ts'

/** What a listener or a hook may do to the pool from within a call of the pool's. */
const moves: readonly ((life: Life) => void)[] = [
  (life) => life.acquire(),
  (life) => life.acquire(),
  (life) => life.tryAcquire(),
  (life) => life.share(),
  (life) => life.release(),
  (life) => life.release(),
  (life) => life.abort(),
  (life) => life.die(),
  (life) => life.expire(),
  (life) => life.resize(),
  (life) => life.suspend(),
  (life) => life.resume(),
  (life) => life.distrust(),
  (life) => life.open(),
]
/** These end the pool's life, and are rare for it. */
const ends: readonly ((life: Life) => void)[] = [(life) => life.close(), (life) => life.terminate()]

const deepest = 3

/** Now and then uses the pool from within `where`. */
export function meddle(life: Life, where: string, chance: number): void {
  const { world } = life
  const { random } = world
  if (chance === 0 || world.isCalm || life.depth >= deepest || !random.chance(chance)) return
  world.coverage.fault(`pool used from within ${where}`)
  world.log('within', where)
  life.depth++
  try {
    random.pick(random.chance(0.06) ? ends : moves)(life)
  } catch (error) {
    world.violate('I8', `${error} was thrown within ${where}`)
  }
  life.depth--
}

/** A listener that now and then uses the pool, throws, or rejects. */
export function misbehave(life: Life, event: string): unknown {
  const { random, isCalm, plan, coverage } = life.world
  meddle(life, `'${event}'`, plan.mischief)
  if (isCalm || plan.mischief === 0 || !random.chance(plan.mischief / 4)) return undefined
  coverage.fault('listener failed')
  const failure = new SimulatedError(`the listener to '${event}' failed`)
  if (random.chance(0.5)) return Promise.reject(failure)
  throw failure
}
