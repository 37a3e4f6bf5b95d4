import { resolvePoolSettings } from '../../src/pooling/index.ts'
import { settled } from '../pooling/support/virtual-clock.ts'
import { Coverage } from './coverage.ts'
import { drain } from './drain.ts'
import { checkCounts, checkSettled } from './invariants.ts'
import { Life } from './life.ts'
import { type Action, drawPlan } from './plan.ts'
import { mix, Random } from './random.ts'
import { Trace } from './trace.ts'
import { type Violation, World } from './world.ts'

export interface SeedOptions {
  /** The steps to take, by their numbers. Default: all. */
  only?: readonly number[] | undefined
  /** Hears of everything that happens, a line each. */
  print?: ((line: string) => void) | undefined
  /** Hears of each step that begins. */
  progress?: ((step: number) => void) | undefined
}

export interface SeedResult {
  seed: number
  /** Steps taken. */
  steps: number
  /** Of all that happened: the same seed gives the same hash. */
  hash: string
  /** The first, and the step in which it came. */
  violation?: Violation & { step: number }
  coverage: Coverage
}

/** So many things may happen by themselves in one step. */
const mostEvents = 60
/** A pool whose end takes longer, in steps, is helped to it. */
const longestEnd = 60

/** So often, in steps, the event loop goes round: only then does Node tell of rejections that nobody handled. */
const stepsOfTurn = 4
/**
 * After so many steps another pool begins, if not before. What it is like depends on the number of its first step
 * alone, so that the steps of the pools before it may be left out.
 */
const stepsOfPool = 200
/** No step has such a number: the draws of plans are apart from those of steps. */
const planStream = 0x40000000

/** Runs one seed: pools, one after the other, each with faults of its own, until `steps` are taken. */
export async function runSeed(seed: number, steps: number, options: SeedOptions = {}): Promise<SeedResult> {
  // From within a microtask, wherever this was called from: see `quiet`.
  await settled()
  const run = new Run(seed, options)
  const list = options.only ?? Array.from({ length: steps }, (_, index) => index)
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const unhandled = (error: unknown) => run.life.world.violate('I8', `nobody handled ${error}`)
  process.on('unhandledRejection', unhandled)
  process.on('uncaughtException', unhandled)
  try {
    return await run.take(list)
  } finally {
    process.off('unhandledRejection', unhandled)
    process.off('uncaughtException', unhandled)
    Error.stackTraceLimit = stackTraceLimit
  }
}

/**
 * Lets every promise that can settle without a timer or I/O settle, as `settled` does, without a turn of the event
 * loop. To be called from within a microtask: only there do the others come before the next tick.
 */
function quiet(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

class Run {
  life: Life
  readonly #seed: number
  readonly #progress: ((step: number) => void) | undefined
  readonly #trace: Trace
  readonly #coverage = new Coverage()
  #epoch = 0
  /** Pools of this epoch so far. */
  #lives = 0
  #endedFor = 0

  constructor(seed: number, { only, print, progress }: SeedOptions) {
    this.#seed = seed
    this.#progress = progress
    this.#trace = new Trace(print)
    this.#epoch = Math.floor((only?.[0] ?? 0) / stepsOfPool)
    this.life = this.#beget()
  }

  async take(list: readonly number[]): Promise<SeedResult> {
    let taken = 0
    let last = -1
    for (const step of list) {
      const epoch = Math.floor(step / stepsOfPool)
      if (epoch !== this.#epoch) await this.#guarded(() => this.#enter(epoch))
      if (this.life.world.violation !== undefined) break
      last = step
      taken++
      this.#trace.add(this.life.world.clock.now(), 'step', step)
      this.#progress?.(step)
      await this.#guarded(() => this.#step(new Random(mix(this.#seed, step))))
      if (taken % stepsOfTurn === 0) await settled()
      if (this.life.world.violation !== undefined) break
    }
    if (this.life.world.violation === undefined)
      await this.#guarded(() => drain(this.life, () => this.#settle()))
    await settled()
    const { violation } = this.life.world
    const result: SeedResult = {
      seed: this.#seed,
      steps: taken,
      hash: this.#trace.hash,
      coverage: this.#coverage,
    }
    if (violation !== undefined) result.violation = { ...violation, step: last }
    return result
  }

  /** Whatever is thrown where only the pool is called is the pool's. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.life.world.violate('I8', `${error} was thrown`)
    }
  }

  #beget(): Life {
    const random = new Random(mix(this.#seed, planStream + this.#epoch * stepsOfPool + this.#lives++))
    const plan = drawPlan(random)
    const settings = resolvePoolSettings(plan.options)
    this.#trace.add(0, 'a pool', JSON.stringify(plan.options))
    const life = new Life(new World(plan, settings, random, this.#trace, this.#coverage))
    if (plan.opensFirst) life.open()
    this.#endedFor = 0
    return life
  }

  async #step(random: Random): Promise<void> {
    const { world, model } = this.life
    world.random = random
    await this.#act(random.weighted(world.plan.actions))
    // Two things may come in one turn.
    if (random.chance(0.1)) await this.#act(random.weighted(world.plan.actions))
    await this.#settle()
    checkCounts(this.life)
    if (world.violation !== undefined) return
    if (model.isEnding) this.#endedFor++
    if (model.phase === 'closed' || this.#endedFor > longestEnd) await this.#finish()
  }

  async #enter(epoch: number): Promise<void> {
    this.#epoch = epoch
    this.#lives = 0
    await this.#finish()
  }

  /** The end of one pool and, unless it went wrong, the beginning of the next. */
  async #finish(): Promise<void> {
    await drain(this.life, () => this.#settle())
    if (this.life.world.violation === undefined) this.life = this.#beget()
  }

  async #act(action: Action): Promise<void> {
    const { life } = this
    const { random } = life.world
    switch (action) {
      case 'burst':
        for (let i = random.between(2, 6); i > 0; i--) life.acquire()
        return
      case 'nextEvent':
        return this.#pass(60_000, 1)
      case 'advance':
        return this.#pass(random.pick([1, 10, 100, 1_000]) * random.next(), mostEvents)
      case 'jump':
        return this.#pass(random.pick([5_000, 60_000, 600_000]), mostEvents)
      case 'stall':
        // An answer that is there by then belongs to the time before.
        await quiet()
        return life.stall()
      default:
        life[action]()
    }
  }

  /** Time goes on by `ms`, or until so many things have happened, with what follows from each before the next. */
  async #pass(ms: number, most: number): Promise<void> {
    const { world } = this.life
    const { clock } = world
    const end = clock.now() + ms
    await quiet()
    for (let i = 0; i < most; i++) {
      if (!clock.fireNext(end)) {
        clock.goOn(end)
        return
      }
      await this.#settle()
      if (world.violation !== undefined) return
    }
  }

  async #settle(): Promise<void> {
    await quiet()
    this.life.span.notice()
    checkSettled(this.life)
  }
}
