import { dayOf, formatFraction, secondsInDay } from './calendar.ts'
import { Refusal } from './codec.ts'

/*
 * Dates and times as the server writes them at DateStyle ISO, within the text of an array or a composite.
 * "Date/Time Output" (datatype-datetime). The other styles cannot be told apart and are refused.
 */
const day = /^\d{4,}-\d\d-\d\d(?: BC)?$/
const local = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)( BC)?$/
const instant = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-]\d\d(?::\d\d){0,2})( BC)?$/
const zonedClock = /^(\d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-]\d\d)((?::\d\d){0,2})$/
const infinities = new Set(['infinity', '-infinity'])

function otherStyle(setting: string, wanted: string): Refusal {
  return new Refusal(
    `it stands within text, which is only read at ${setting} = '${wanted}'; leave that setting so`,
  )
}

export function dateFromText(text: string): string {
  if (day.test(text) || infinities.has(text)) return text
  throw otherStyle('DateStyle', 'ISO')
}

export function timestampFromText(text: string): string {
  if (infinities.has(text)) return text
  const parts = local.exec(text)
  if (parts === null) throw otherStyle('DateStyle', 'ISO')
  return `${parts[1]}T${parts[2]}${parts[3] ?? ''}`
}

/** Whole seconds since 2000-01-01 UTC, and microseconds above them; or the sign of an infinity. */
export function instantFromText(text: string): { seconds: number; micros: number } | -1 | 1 {
  if (infinities.has(text)) return text === 'infinity' ? 1 : -1
  const parts = instant.exec(text)
  if (parts === null) throw otherStyle('DateStyle', 'ISO')
  const [, year, month, dayOfMonth, hours, minutes, seconds, fraction = '', zone = '', era] = parts
  const days = dayOf(era === undefined ? Number(year) : 1 - Number(year), Number(month), Number(dayOfMonth))
  const clock = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return {
    seconds: days * secondsInDay + clock - offsetSeconds(zone),
    micros: Number(fraction.padEnd(6, '0')),
  }
}

/** `+05:45`, `-00:01:15`: seconds to the east. */
function offsetSeconds(zone: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = zone.slice(1).split(':').map(Number)
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds)
}

export function timetzFromText(text: string): string {
  const parts = zonedClock.exec(text)
  if (parts === null) throw otherStyle('DateStyle', 'ISO')
  return `${parts[1]}${parts[2]}${parts[3] || ':00'}`
}

const postgresInterval =
  /^(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-])?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/

/** IntervalStyle `postgres` (the default) and `iso_8601`, as the latter. */
export function intervalFromText(text: string): string {
  if (text.startsWith('P') || infinities.has(text)) return text
  const parts = postgresInterval.exec(text)
  if (text === '' || parts === null) throw otherStyle('IntervalStyle', 'postgres')
  const [, years, months, days, sign, hours, minutes, seconds, fraction = ''] = parts
  const minus = sign === '-' ? '-' : ''
  const unit = (digits: string | undefined, name: string, before = ''): string =>
    Number(digits ?? 0) === 0 ? '' : `${before}${Number(digits)}${name}`
  const date = unit(years, 'Y') + unit(months, 'M') + unit(days, 'D')
  const rest = formatFraction(Number(fraction.padEnd(6, '0')))
  const shownSeconds = Number(seconds ?? 0) === 0 && rest === '' ? '' : `${minus}${Number(seconds)}${rest}S`
  const clock = unit(hours, 'H', minus) + unit(minutes, 'M', minus) + shownSeconds
  if (clock !== '') return `P${date}T${clock}`
  return date === '' ? 'PT0S' : `P${date}`
}
