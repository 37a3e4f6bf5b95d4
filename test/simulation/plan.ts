import type { PoolOptions } from '../../src/pooling/index.ts'
import { type Random, Weights } from './random.ts'

/** The calls that the pool makes of its connector and that can go wrong. */
export const calls = ['connect', 'check', 'prepare', 'reset', 'close', 'terminate'] as const
export type Call = (typeof calls)[number]

/** How a call may go. */
export const fates = [
  'quick',
  'slow',
  /** It ends after every time-out. */
  'late',
  /** It does not end before the faults do. */
  'hanging',
  'failing',
  'failingLater',
  /** It throws instead of rejecting. */
  'throwing',
  /** The connection dies, and the pool is told so, within the call. */
  'dying',
] as const
export type Fate = (typeof fates)[number]

/** What a step may do. */
export const actions = [
  'acquire',
  'tryAcquire',
  'burst',
  'crowd',
  'share',
  'release',
  'releaseAgain',
  'use',
  'endByUser',
  'abort',
  'die',
  'silence',
  'outage',
  'recovery',
  'nextEvent',
  'advance',
  'jump',
  'stall',
  'expire',
  'resize',
  'suspend',
  'resume',
  'distrust',
  'open',
  'close',
  'terminate',
] as const
export type Action = (typeof actions)[number]

/** What one pool's life is like: its settings, and which faults there are, how often. */
export interface Plan {
  readonly options: PoolOptions
  readonly hasPrepare: boolean
  /** Whether some callers have no signal. */
  readonly hasMuteCallers: boolean
  /** Of the callers, those who would share another's lease. */
  readonly joining: number
  /** Whether the pool is opened by `open`, and not by the first acquire. */
  readonly opensFirst: boolean
  readonly fates: Readonly<Record<Call, Weights<Fate>>>
  /** Of the failing connects, those that cannot succeed by trying again. */
  readonly permanent: number
  /** Of the connects, those that die around the moment of their opening. */
  readonly stillborn: number
  /** Of the resets, those that have nothing to wait for. */
  readonly instantResets: number
  readonly actions: Weights<Action>
  /** How often a listener throws, rejects or uses the pool. */
  readonly mischief: number
  /** How often a call of the connector uses the pool. */
  readonly reentry: number
}

/** How often each action is drawn where it is drawn at all. */
const common: Record<Action, number> = {
  acquire: 20,
  tryAcquire: 5,
  burst: 3,
  crowd: 0.03,
  share: 6,
  release: 20,
  releaseAgain: 2,
  use: 6,
  endByUser: 1,
  abort: 4,
  die: 3,
  silence: 2,
  outage: 0.6,
  recovery: 2,
  nextEvent: 20,
  advance: 10,
  jump: 1,
  stall: 1,
  expire: 1,
  resize: 1.5,
  suspend: 0.7,
  resume: 2,
  distrust: 1,
  open: 0.5,
  close: 0.4,
  terminate: 0.3,
}

/** Without these nothing much would happen. */
const always: ReadonlySet<Action> = new Set([
  'acquire',
  'release',
  'nextEvent',
  'advance',
  'resume',
  'recovery',
])

function drawActions(random: Random): Weights<Action> {
  const weights = { ...common }
  for (const action of actions) {
    if (always.has(action)) weights[action] *= 0.5 + random.next()
    else weights[action] *= random.chance(0.4) ? 0 : 0.3 + 2 * random.next()
  }
  return new Weights(weights)
}

function drawFates(random: Random): Weights<Fate> {
  const weights: Record<Fate, number> = {
    quick: random.between(2, 12),
    slow: random.chance(0.8) ? random.between(1, 8) : 0,
    late: random.chance(0.3) ? 1 : 0,
    hanging: random.chance(0.25) ? 0.7 : 0,
    failing: random.chance(0.4) ? random.between(1, 4) : 0,
    failingLater: random.chance(0.4) ? random.between(1, 3) : 0,
    throwing: random.chance(0.25) ? 1 : 0,
    dying: random.chance(0.3) ? 1 : 0,
  }
  return new Weights(weights)
}

function drawOptions(random: Random): PoolOptions {
  const maxSize = random.pick([1, 1, 2, 2, 3, 4, 5, 8])
  return {
    maxSize,
    minSize: random.between(0, maxSize),
    maxQueries: random.pick([0, 0, 1, 2, 5, 20]),
    maxInactiveConnectionLifetime: random.pick([0, 100, 500, 3_000, 20_000]),
    maxLifetime: random.pick([0, 100, 1_000, 5_000, 60_000]),
    acquireTimeout: random.pick([0, 1, 20, 300, 2_000, 30_000]),
    maxWaiting: random.pick([undefined, undefined, undefined, 0, 1, 5]),
    checkIdleAfter: random.pick([0, 0, 'always', 1, 50, 1_000]),
    checkTimeout: random.pick([0, 1, 30, 300, 2_000]),
    leakThreshold: random.pick([0, 0, 1, 100, 2_000]),
    connectConcurrency: random.pick([1, 1, 2, 4]),
    hookTimeout: random.pick([0, 1, 30, 300, 5_000]),
    closeTimeout: random.pick([0, 1, 30, 300, 5_000]),
  }
}

export function drawPlan(random: Random): Plan {
  const some = (share: number, most: number) => (random.chance(share) ? most * random.next() : 0)
  return {
    options: drawOptions(random),
    hasPrepare: random.chance(0.5),
    hasMuteCallers: random.chance(0.3),
    joining: random.pick([0, 0.3, 0.7, 1]),
    opensFirst: random.chance(0.7),
    fates: {
      connect: drawFates(random),
      check: drawFates(random),
      prepare: drawFates(random),
      reset: drawFates(random),
      close: drawFates(random),
      terminate: drawFates(random),
    },
    permanent: some(0.4, 0.7),
    stillborn: some(0.3, 0.3),
    instantResets: random.pick([0, 0.5, 1]),
    actions: drawActions(random),
    mischief: some(0.4, random.pick([0.1, 0.5])),
    reentry: some(0.3, random.pick([0.08, 0.4])),
  }
}
