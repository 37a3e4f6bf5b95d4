import { mix, Random } from '../simulation/random.ts'
import { type Frame, framesOf } from './frames.ts'
import { type Draft, type MutationName, mutations } from './mutations.ts'
import type { Stream } from './play.ts'
import type { Recording } from './recordings.ts'
import { ScramStandIn } from './scram-stand-in.ts'

/** What makes a stream of a recording: the same plan, the same stream. */
export interface Plan {
  recording: Recording
  mutations: readonly { name: MutationName; seed: number }[]
  cut: 'whole' | 'in two' | 'anywhere' | 'byte by byte' | 'at once'
  ending: 'FIN' | 'RST'
  expires: boolean
}

const names = Object.keys(mutations) as MutationName[]
const largest = 2 ** 31

/** As it was recorded. */
export function unchanged(recording: Recording, cut: Plan['cut'] = 'whole'): Plan {
  return { recording, mutations: [], cut, ending: 'FIN', expires: false }
}

export function planOf(seed: number, recordings: readonly Recording[]): Plan {
  const random = new Random(mix(seed, 0))
  const count = random.pick([1, 1, 1, 2, 2, 3, 5])
  return {
    recording: random.pick(recordings),
    mutations: Array.from({ length: count }, () => ({
      name: random.pick(names),
      seed: random.below(largest),
    })),
    cut: random.pick(['whole', 'whole', 'whole', 'in two', 'anywhere', 'byte by byte', 'at once']),
    ending: random.pick(['FIN', 'FIN', 'RST']),
    expires: random.chance(1 / 8),
  }
}

/** The sessions that mutations take from, as messages. */
export type Library = readonly (readonly Frame[])[]

export function libraryOf(recordings: readonly Recording[]): Library {
  return recordings.map(({ turns }) => framesOf(turns))
}

export function streamOf(plan: Plan, library: Library, seed: number): Stream {
  const draft: Draft = { frames: framesOf(plan.recording.turns), others: library }
  for (const mutation of plan.mutations) {
    if (draft.frames.length > 0) mutations[mutation.name](draft, new Random(mutation.seed))
  }
  return assemble(plan, draft.frames, new Random(mix(seed, 1)))
}

/** The messages as they are said, in their turns. */
export function assemble(
  { recording, cut, ending, expires }: Omit<Plan, 'mutations'>,
  frames: readonly Frame[],
  random: Random,
): Stream {
  const isAtOnce = cut === 'at once'
  const byTurn = new Map<number, Buffer[]>()
  for (const { turn, bytes } of frames) {
    const said = isAtOnce ? 0 : turn
    const list = byTurn.get(said)
    if (list === undefined) byTurn.set(said, [bytes])
    else list.push(bytes)
  }
  const after = (turn: number) => (isAtOnce ? 0 : (recording.turns[turn]?.after ?? 0))
  return {
    login: recording.login,
    workload: recording.workload,
    turns: [...byTurn]
      .sort(([one], [other]) => one - other)
      .map(([turn, list]) => ({ after: after(turn), bytes: Buffer.concat(list) })),
    cut: (bytes) => pieces(bytes, cut, random),
    ending,
    expires,
    standIn: ScramStandIn.for(recording),
  }
}

/** Past it, byte by byte would only take time. */
const longestDrip = 2_000

function* pieces(bytes: Buffer, cut: Plan['cut'], random: Random): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + lengthOfPiece(bytes.length - at, cut, random, at)
    yield bytes.subarray(at, end)
    at = end
  }
}

function lengthOfPiece(left: number, cut: Plan['cut'], random: Random, at: number): number {
  switch (cut) {
    case 'in two':
      return random.between(1, left)
    case 'anywhere':
      return random.between(1, Math.min(left, 200))
    case 'byte by byte':
      return at < longestDrip ? 1 : left
    default:
      return left
  }
}
