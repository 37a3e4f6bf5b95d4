import { types } from 'node:util'
import type { OutBuffer } from '../out-buffer.ts'
import { formatClock, formatDay, secondsInDay } from './calendar.ts'
import { binaryFormat, type Codec, Refusal, refused, textFormat, wrongSize } from './codec.ts'
import { dateForm, refuseLocal, timestampForm, timestamptzForm } from './iso-binary.ts'
import { dateFromText, instantFromText, timestampFromText } from './iso-text.ts'
import { infinityAt, microsAt, millisAt, secondsAt, writeInfinity, writeMicros } from './micros.ts'
import { writeText } from './text.ts'

/** From 1970-01-01 to PostgreSQL's epoch, 2000-01-01. */
const epochSeconds = 946_684_800
/** 4714-11-24 BC, the first day that PostgreSQL knows. */
const earliestDate = -210_866_803_200_000
const latestDate = 8_640_000_000_000_000

function infinityText(sign: number): string {
  return sign > 0 ? 'infinity' : '-infinity'
}

/** Seconds and microseconds since 2000-01-01 as `2026-01-02T03:04:05.678901`, `zone` after it. */
function formatInstant(seconds: number, micros: number, zone: string): string {
  const day = Math.floor(seconds / secondsInDay)
  return formatDay(day, `T${formatClock(seconds - day * secondsInDay, micros)}${zone}`)
}

function decodeIso(bytes: Buffer, start: number, zone: string): string {
  const infinity = infinityAt(bytes, start)
  if (infinity !== 0) return infinityText(infinity)
  return formatInstant(secondsAt(bytes, start), microsAt(bytes, start), zone)
}

/** A Date, rounded down to its milliseconds, or ±Infinity. */
function decodeDate(bytes: Buffer, start: number, end: number): Date | number {
  if (end - start !== 8) throw wrongSize('timestamptz', end - start)
  const time = millisAt(bytes, start) + epochSeconds * 1000
  return isDate(time) ? new Date(time) : beyondDates(infinityAt(bytes, start))
}

function isDate(time: number): boolean {
  return time <= latestDate && time >= -latestDate
}

/** What is not finite lies beyond as well. */
function beyondDates(infinity: number): number {
  if (infinity !== 0) return infinity * Number.POSITIVE_INFINITY
  throw new Refusal(
    `the value lies outside of what a Date can be; set the option types: { timestamptz: 'string' }`,
  )
}

function toDate(seconds: number, micros: number): Date | number {
  const time = (seconds + epochSeconds) * 1000 + Math.floor(micros / 1000)
  return isDate(time) ? new Date(time) : beyondDates(0)
}

function decodeUtc(bytes: Buffer, start: number, end: number): string {
  if (end - start !== 8) throw wrongSize('timestamptz', end - start)
  return decodeIso(bytes, start, 'Z')
}

/**
 * A Date, ±Infinity, or a string, which the server reads: an ISO string with its zone means the same under all
 * settings, one without is in the session's TimeZone.
 */
function encodeTimestamptz(value: unknown, out: OutBuffer): void {
  if (typeof value === 'string') writeText(value, out)
  else if (types.isDate(value)) writeText(dateText(value), out)
  else if (isInfinity(value)) writeText(infinityText(value), out)
  else throw noInstant(value)
}

function isInfinity(value: unknown): value is number {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY
}

function noInstant(value: unknown): Refusal {
  return refused('a Date, ±Infinity or an ISO string', value)
}

/** As a parameter: a Date in binary, whatever else in text. */
function encodeParameter(value: unknown, out: OutBuffer): void {
  if (types.isDate(value)) encodeDate(value, out)
  else encodeTimestamptz(value, out)
}

function encodeDate(value: Date, out: OutBuffer): void {
  writeMicros(timeOf(value) - epochSeconds * 1000, 0, out)
}

const timestamptzBinary = timestamptzForm((value, out) => {
  if (types.isDate(value)) encodeDate(value, out)
  else if (isInfinity(value)) writeInfinity(value, out)
  else throw noInstant(value)
})

function timeOf(date: Date): number {
  const time = Date.prototype.getTime.call(date)
  if (!(time >= earliestDate)) throw refused('a valid Date from 4714-11-24 BC on', date)
  return time
}

function dateText(date: Date): string {
  const time = timeOf(date)
  const seconds = Math.floor(time / 1000)
  return formatInstant(seconds - epochSeconds, (time - seconds * 1000) * 1000, 'Z')
}

/** Makes a value of the option's kind of the server's text. */
function fromText(result: TimestamptzResult, text: string): unknown {
  const read = instantFromText(text)
  if (typeof read === 'number') {
    return result === 'date' ? read * Number.POSITIVE_INFINITY : infinityText(read)
  }
  return result === 'date' ? toDate(read.seconds, read.micros) : formatInstant(read.seconds, read.micros, 'Z')
}

const timestamptzDecoders = { date: decodeDate, string: decodeUtc }

export type TimestamptzResult = keyof typeof timestamptzDecoders

export function timestamptzCodec(result: TimestamptzResult): Codec {
  return {
    name: 'timestamptz',
    resultFormat: binaryFormat,
    parameterFormat: textFormat,
    formatOf: (value) => (types.isDate(value) ? binaryFormat : textFormat),
    decode: timestamptzDecoders[result],
    encode: encodeParameter,
    text: {
      decode: (bytes, start, end) => fromText(result, bytes.toString('latin1', start, end)),
      encode: encodeTimestamptz,
    },
    binary: timestamptzBinary,
  }
}

/** For the types without a time zone. */
export function encodeLocal(value: unknown, out: OutBuffer): void {
  if (typeof value === 'string') writeText(value, out)
  else refuseLocal(value)
}

/** Both ways in text, for a type without a time zone whose text `read` takes. */
export function localText(read: (text: string) => string): NonNullable<Codec['text']> {
  return {
    decode: (bytes, start, end) => read(bytes.toString('latin1', start, end)),
    encode: encodeLocal,
  }
}

export const timestamp: Codec = {
  name: 'timestamp',
  resultFormat: binaryFormat,
  parameterFormat: textFormat,
  decode(bytes, start, end) {
    if (end - start !== 8) throw wrongSize('timestamp', end - start)
    return decodeIso(bytes, start, '')
  },
  encode: encodeLocal,
  text: localText(timestampFromText),
  binary: timestampForm,
}

export const date: Codec = {
  name: 'date',
  resultFormat: binaryFormat,
  parameterFormat: textFormat,
  decode(bytes, start, end) {
    if (end - start !== 4) throw wrongSize('date', end - start)
    const day = bytes.readInt32BE(start)
    if (day === 0x7fff_ffff || day === -0x8000_0000) return infinityText(day)
    return formatDay(day)
  },
  encode: encodeLocal,
  text: localText(dateFromText),
  binary: dateForm,
}
