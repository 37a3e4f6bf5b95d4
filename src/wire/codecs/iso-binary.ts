import { types } from 'node:util'
import type { OutBuffer } from '../out-buffer.ts'
import { dayOf, secondsInDay } from './calendar.ts'
import { type BinaryForm, Refusal, refused } from './codec.ts'
import { writeInfinity, writeMicros } from './micros.ts'

/*
 * The binary form of dates and times that come as ISO 8601: as COPY takes it. Only what means the same to every server
 * under every setting is read here: years 1 to 9999, no more than microseconds, a timestamptz with its offset.
 */
const day = /^(\d{4})-(\d\d)-(\d\d)$/
const instant = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/
const infinities = new Map([
  ['infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])
/** The widest offset, in hours, that the server knows is below it. */
const widestOffset = 16

/** What is read of a text; `undefined`: it is not for us to read. */
type Read<T> = (text: string) => T | undefined

interface Instant {
  /** Since 2000-01-01, in UTC or by the wall clock; an infinity. */
  millis: number
  /** Above `millis`. */
  micros: number
}

const readDay: Read<number> = (text) => {
  const parts = day.exec(text)
  return parts === null ? infinities.get(text) : dayNumber(parts)
}

/** The day, counted from 2000-01-01. */
function dayNumber([, year, month, dayOfMonth]: readonly string[]): number | undefined {
  const [y, m, d] = [Number(year), Number(month), Number(dayOfMonth)]
  if (y < 1 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m)) return undefined
  return dayOf(y, m, d)
}

function daysIn(year: number, month: number): number {
  return (month === 12 ? dayOf(year + 1, 1, 1) : dayOf(year, month + 1, 1)) - dayOf(year, month, 1)
}

/** Of a wall clock the server drops the zone. */
function readInstant(text: string, isZoned: boolean): Instant | undefined {
  const infinity = infinities.get(text)
  if (infinity !== undefined) return { millis: infinity, micros: 0 }
  const parts = instant.exec(text)
  if (parts === null) return undefined
  const days = dayNumber(parts)
  const clock = secondsOf(parts)
  const offset = isZoned ? offsetOf(parts[8]) : 0
  if (days === undefined || clock === undefined || offset === undefined) return undefined
  const fraction = Number((parts[7] ?? '').padEnd(6, '0'))
  const millis = (days * secondsInDay + clock - offset) * 1000 + Math.floor(fraction / 1000)
  return { millis, micros: fraction % 1000 }
}

function secondsOf([, , , , hours, minutes, seconds = '0']: readonly string[]): number | undefined {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)]
  return h > 23 || m > 59 || s > 59 ? undefined : h * 3600 + m * 60 + s
}

/** Seconds to the east. */
function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return zone && 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', ''))
  if (hours >= widestOffset || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60)
}

function writeInstant({ millis, micros }: Instant, out: OutBuffer): void {
  if (Number.isFinite(millis)) writeMicros(millis, micros, out)
  else writeInfinity(millis, out)
}

function writeDay(number: number, out: OutBuffer): void {
  if (Number.isFinite(number)) out.int32(number)
  else out.int32(number > 0 ? 0x7fff_ffff : -0x8000_0000)
}

/** The form of a type that takes strings, and what `encodeOther` writes or refuses. */
function isoForm<T>(
  read: Read<T>,
  write: (value: T, out: OutBuffer) => void,
  encodeOther: (value: unknown, out: OutBuffer) => void,
): BinaryForm {
  return {
    takes: (value) => typeof value !== 'string' || read(value) !== undefined,
    encode(value, out) {
      if (typeof value !== 'string') return encodeOther(value, out)
      const found = read(value)
      if (found === undefined) throw refused('an ISO string', value)
      write(found, out)
    },
  }
}

/** For the types without a time zone. A Date is an instant: to write its wall clock, a zone would have to be guessed. */
export function refuseLocal(value: unknown): never {
  if (types.isDate(value)) {
    throw new Refusal(
      'a Date has no wall-clock time without a time zone; pass a string (date.toISOString() for the time in UTC)',
    )
  }
  throw refused('an ISO string', value)
}

export const dateForm = isoForm(readDay, writeDay, refuseLocal)
export const timestampForm = isoForm((text) => readInstant(text, false), writeInstant, refuseLocal)

/** @param encodeOther for what is no string */
export function timestamptzForm(encodeOther: (value: unknown, out: OutBuffer) => void): BinaryForm {
  return isoForm((text) => readInstant(text, true), writeInstant, encodeOther)
}
