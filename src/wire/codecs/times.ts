import { brokenProtocol } from '../frame-reader.ts'
import { formatClock, formatFraction, formatOffset, secondsInDay } from './calendar.ts'
import { binaryFormat, type Codec, textFormat, wrongSize } from './codec.ts'
import { intervalFromText, timetzFromText } from './iso-text.ts'
import { infinityAt, microsAt, secondsAt } from './micros.ts'
import { encodeLocal, localText } from './timestamps.ts'

/** The widest offset is below 16 hours. */
const widestOffset = 57_600

function clockAt(bytes: Buffer, at: number): string {
  const seconds = secondsAt(bytes, at)
  if (seconds < 0 || seconds > secondsInDay)
    throw brokenProtocol(`a time of day is ${seconds} s after midnight`)
  return formatClock(seconds, microsAt(bytes, at))
}

/** `04:05:06.7`; the end of the day is `24:00:00`. */
export const time: Codec = {
  name: 'time',
  resultFormat: binaryFormat,
  parameterFormat: textFormat,
  decode(bytes, start, end) {
    if (end - start !== 8) throw wrongSize('time', end - start)
    return clockAt(bytes, start)
  },
  encode: encodeLocal,
  text: localText((text) => text),
}

/** `04:05:06.7+01:00`. The server counts its zone in seconds to the west. */
export const timetz: Codec = {
  name: 'timetz',
  resultFormat: binaryFormat,
  parameterFormat: textFormat,
  decode(bytes, start, end) {
    if (end - start !== 12) throw wrongSize('timetz', end - start)
    const west = bytes.readInt32BE(start + 8)
    if (Math.abs(west) >= widestOffset) throw brokenProtocol(`a time zone is ${west} s from UTC`)
    return clockAt(bytes, start) + formatOffset(-west)
  },
  encode: encodeLocal,
  text: localText(timetzFromText),
}

function part(value: number, unit: string): string {
  return value === 0 ? '' : `${value}${unit}`
}

/** The time of an interval as `4H5M6.7S`; where it is negative, every part of it is. */
function formatDuration(seconds: number, micros: number): string {
  const negative = seconds < 0
  const whole = negative ? -seconds - (micros === 0 ? 0 : 1) : seconds
  const fraction = formatFraction(negative && micros !== 0 ? 1_000_000 - micros : micros)
  const sign = negative ? -1 : 1
  const rest = whole % 60
  const shownSeconds = rest === 0 && fraction === '' ? '' : `${negative ? '-' : ''}${rest}${fraction}S`
  return (
    part(sign * Math.floor(whole / 3600), 'H') +
    part(sign * (Math.floor(whole / 60) % 60), 'M') +
    shownSeconds
  )
}

/**
 * ISO 8601 as the server's IntervalStyle `iso_8601` writes it: `P1Y2M3DT4H5M6.7S`, each part with a sign of its
 * own, `PT0S` for none. PostgreSQL 17's infinite intervals are `infinity` and `-infinity`.
 */
export const interval: Codec = {
  name: 'interval',
  resultFormat: binaryFormat,
  parameterFormat: textFormat,
  decode(bytes, start, end) {
    if (end - start !== 16) throw wrongSize('interval', end - start)
    const days = bytes.readInt32BE(start + 8)
    const months = bytes.readInt32BE(start + 12)
    const infinity = infinityAt(bytes, start)
    if (infinity > 0 && days === 0x7fff_ffff && months === days) return 'infinity'
    if (infinity < 0 && days === -0x8000_0000 && months === days) return '-infinity'
    const day = part(Math.trunc(months / 12), 'Y') + part(months % 12, 'M') + part(days, 'D')
    const clock = formatDuration(secondsAt(bytes, start), microsAt(bytes, start))
    if (clock !== '') return `P${day}T${clock}`
    return day === '' ? 'PT0S' : `P${day}`
  },
  encode: encodeLocal,
  text: localText(intervalFromText),
}
