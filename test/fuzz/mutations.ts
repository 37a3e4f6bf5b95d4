import type { Random } from '../simulation/random.ts'
import { bodyOf, type Frame, fieldTypes, frame, int16, typeOf, valueLengths, withBody } from './frames.ts'

/** A stream that is being mutated, and the messages of others to take from. */
export interface Draft {
  frames: Frame[]
  readonly others: readonly (readonly Frame[])[]
}

/** Changes `draft`; where there is nothing for it to change, it leaves it. */
type Mutation = (draft: Draft, random: Random) => void

const numbers = [
  0, 1, 2, 3, 4, 5, 7, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x3fff_ffff, 0x4000_0000, 0x4000_0001,
  0x7fff_fffe, 0x7fff_ffff, -1, -2, -4, -5, -0x8000, -0x8000_0000,
]

const anyOid = [
  16, 17, 18, 20, 21, 23, 25, 26, 114, 600, 700, 701, 869, 1000, 1007, 1009, 1016, 1082, 1083, 1114, 1184,
  1185, 1186, 1231, 1266, 1700, 2249, 2950, 3802, 3904, 99_999, -1, 0,
]

const knownTypes = 'RKSZTDCEN123dcGHWItnsAvVX'

/** What a server says unasked, or out of turn. */
const strays: readonly Buffer[] = [
  frame('Z', 'I'),
  frame('Z', 'E'),
  frame('Z', 'x'),
  frame('D', int16(1), 4, 7),
  frame('D', int16(0)),
  frame('C', 'SELECT 1\0'),
  frame('C', 'COMMIT\0'),
  frame('C', 'DEALLOCATE ALL\0'),
  frame('I'),
  frame('s'),
  frame('n'),
  frame('1'),
  frame('2'),
  frame('3'),
  frame('G', Buffer.of(0), int16(0)),
  frame('H', Buffer.of(0), int16(0)),
  frame('W', Buffer.of(0), int16(0)),
  frame('d', '1\t2\n'),
  frame('c'),
  frame('t', int16(1), 23),
  frame('t', int16(-1)),
  frame('T', int16(-1)),
  frame('T', int16(1), '__proto__\0', 0, int16(0), 23, int16(4), -1, int16(0)),
  frame('A', 1, 'news\0', '\0'),
  frame('N', 'SNOTICE\0', 'VNOTICE\0', 'C00000\0', 'Mhello\0', '\0'),
  frame('E', 'SERROR\0', 'VERROR\0', 'C42601\0', 'Mno\0', 'Pfar\0', '\0'),
  frame('E', 'SERROR\0', 'VERROR\0', 'Cconstructor\0', 'M\0', '\0'),
  frame('E', 'SERROR\0', 'VERROR\0', 'C26000\0', 'Mgone\0', '\0'),
  frame('E', 'SERROR\0', 'VERROR\0', 'C0A000\0', 'Mcached plan must not change result type\0', '\0'),
  frame('E', 'SERROR\0', 'VERROR\0', 'C57014\0', 'Mcanceling statement due to user request\0', '\0'),
  frame('E', 'SFATAL\0', 'VFATAL\0', 'C57P01\0', 'Mterminating connection\0', '\0'),
  frame('E', '\0'),
  frame('E'),
  frame('S', 'client_encoding\0', 'LATIN1\0'),
  frame('S', '__proto__\0', 'x\0'),
  frame('S', 'TimeZone\0'),
  frame('K', 1, Buffer.alloc(300, 7)),
  frame('K', 1),
  frame('v', 0x30000, 0),
  frame('v', 0x30000, 1, '_pq_.x\0'),
  frame('V', 0),
  ...[0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99, -1].map((code) => frame('R', code)),
  frame('R', 10, 'SCRAM-SHA-256\0', '\0'),
  frame('R', 10, '\0'),
  frame('R', 11, 'r=,s=,i='),
  frame('R', 12, 'e=no'),
]

/** Changes one message, chosen among those of `types` where any are given. */
function changing(change: (bytes: Buffer, random: Random) => Buffer, types = ''): Mutation {
  return (draft, random) => {
    const fit =
      types === '' ? draft.frames : draft.frames.filter(({ bytes }) => types.includes(typeOf(bytes)))
    if (fit.length === 0) return
    const chosen = random.pick(fit)
    chosen.bytes = change(chosen.bytes, random)
  }
}

/** Changes the body of one message, which keeps a length that is right. */
function changingBody(change: (body: Buffer, random: Random) => Buffer, types = ''): Mutation {
  return changing((bytes, random) => withBody(bytes, change(Buffer.from(bodyOf(bytes)), random)), types)
}

/** Writes an Int32 where there is room for one. */
function overwritten(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes)
  if (at >= 0 && at + 4 <= changed.length) changed.writeInt32BE(value | 0, at)
  return changed
}

/** A number close to what is there, or one that is known for trouble. */
function other(value: number, random: Random): number {
  return random.chance(0.5)
    ? value + random.pick([-1, 1, -4, 4, random.between(-70, 70)])
    : random.pick(numbers)
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)))
}

function insert(draft: Draft, random: Random, bytes: Buffer): void {
  const at = random.below(draft.frames.length + 1)
  const turn = draft.frames[Math.min(at, draft.frames.length - 1)]?.turn ?? 0
  draft.frames.splice(at, 0, { turn, bytes })
}

/** By what they are called when a failure is told. */
export const mutations = {
  'a bit turned': changing((bytes, random) => {
    const changed = Buffer.from(bytes)
    const at = random.below(changed.length)
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
    return changed
  }),
  'a byte changed': changingBody((body, random) => {
    if (body.length > 0)
      body[random.below(body.length)] = random.pick([0, 0xff, 0x7f, 0x80, random.below(256)])
    return body
  }),
  'bytes overwritten': changingBody((body, random) => {
    const at = random.below(body.length + 1)
    const end = Math.min(body.length, at + random.between(1, 16))
    return body.fill(random.chance(0.5) ? 0 : random.below(256), at, end)
  }),
  'a number changed': changingBody((body, random) => {
    const at = random.below(Math.max(1, body.length - 3))
    return at + 4 <= body.length ? overwritten(body, at, other(body.readInt32BE(at), random)) : body
  }),
  'a message dropped': (draft, random) => void draft.frames.splice(random.below(draft.frames.length), 1),
  'a message doubled': (draft, random) => {
    const at = random.below(draft.frames.length)
    const [doubled] = draft.frames.slice(at, at + 1)
    if (doubled === undefined) return
    for (let times = random.pick([1, 1, 2, 50]); times > 0; times--)
      draft.frames.splice(at, 0, { ...doubled })
  },
  'a ReadyForQuery doubled': (draft, random) => {
    const ready = draft.frames.filter(({ bytes }) => typeOf(bytes) === 'Z')
    if (ready.length === 0) return
    const doubled = random.pick(ready)
    draft.frames.splice(draft.frames.indexOf(doubled), 0, { ...doubled })
  },
  'a message moved': (draft, random) => {
    const [moved] = draft.frames.splice(random.below(draft.frames.length), 1)
    if (moved !== undefined) insert(draft, random, moved.bytes)
  },
  'two messages swapped': (draft, random) => {
    const at = random.below(draft.frames.length)
    const one = draft.frames[at]
    const next = draft.frames[at + 1]
    if (one === undefined || next === undefined) return
    const { bytes } = one
    one.bytes = next.bytes
    next.bytes = bytes
  },
  'a stray message': (draft, random) => insert(draft, random, random.pick(strays)),
  "another session's message": (draft, random) =>
    insert(draft, random, random.pick(random.pick(draft.others)).bytes),
  'the rest of another session': (draft, random) => {
    const at = random.below(draft.frames.length)
    const turn = draft.frames[at]?.turn ?? 0
    const rest = random.pick(draft.others)
    const from = random.below(rest.length)
    const first = rest[from]?.turn ?? 0
    const spliced = rest.slice(from).map((taken) => ({ turn: taken.turn - first + turn, bytes: taken.bytes }))
    draft.frames.splice(at, draft.frames.length - at, ...spliced)
  },
  'the end is missing': (draft, random) => {
    draft.frames.length = random.between(1, draft.frames.length)
    const last = draft.frames.at(-1)
    if (last !== undefined) last.bytes = last.bytes.subarray(0, random.between(1, last.bytes.length))
  },
  'another type': changing((bytes, random) => {
    const changed = Buffer.from(bytes)
    changed[0] = random.chance(0.25)
      ? random.below(256)
      : knownTypes.charCodeAt(random.below(knownTypes.length))
    return changed
  }),
  'a length that lies': changing((bytes, random) => overwritten(bytes, 1, other(bytes.length - 1, random))),
  'a body cut short': changingBody((body, random) => body.subarray(0, random.below(body.length + 1))),
  'a body too long': changingBody((body, random) =>
    Buffer.concat([body, noise(random, random.pick([1, 2, 4, 7, 300]))]),
  ),
  'a body with a gap': changingBody((body, random) => {
    const at = random.below(body.length + 1)
    return Buffer.concat([body.subarray(0, at), body.subarray(at + random.between(1, 8))])
  }),
  'a count that lies': changingBody((body, random) => {
    if (body.length < 2) return body
    return Buffer.concat([int16(other(body.readInt16BE(0), random)), body.subarray(2)])
  }, 'DTtGH'),
  "a value's length that lies": changingBody((body, random) => {
    const places = valueLengths(body)
    if (places.length === 0) return body
    const at = random.pick(places)
    return overwritten(body, at, other(body.readInt32BE(at), random))
  }, 'D'),
  'a value replaced': changingBody((body, random) => {
    const places = valueLengths(body).filter((at) => body.readInt32BE(at) > 0)
    if (places.length === 0) return body
    const at = random.pick(places)
    const end = Math.min(body.length, at + 4 + body.readInt32BE(at))
    const value = noise(random, random.chance(0.5) ? end - at - 4 : random.below(40))
    return Buffer.concat([overwritten(body.subarray(0, at + 4), at, value.length), value, body.subarray(end)])
  }, 'D'),
  'a column of another type': changingBody((body, random) => {
    const places = fieldTypes(body)
    return places.length === 0 ? body : overwritten(body, random.pick(places), random.pick(anyOid))
  }, 'T'),
  'a parameter of another type': changingBody(
    (body, random) => overwritten(body, 2 + 4 * random.below(body.length / 4), random.pick(anyOid)),
    't',
  ),
} as const satisfies Record<string, Mutation>

export type MutationName = keyof typeof mutations
