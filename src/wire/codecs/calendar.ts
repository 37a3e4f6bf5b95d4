/** Days from 0000-03-01 of the proleptic Gregorian calendar to PostgreSQL's day 0, 2000-01-01. */
const dayZero = 730_425
const daysIn400Years = 146_097

export const secondsInDay = 86_400

/** '00' to '99'. */
const twoDigits = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'))

/**
 * The day, counted from 2000-01-01, as PostgreSQL's own ISO style has it: `2026-01-02`, `10000-01-01`, and years
 * before 1 as `0044-03-15 BC`. `clock` goes between the date and the era.
 */
export function formatDay(day: number, clock = ''): string {
  // Years begin in March here, so that the leap day is the last of its year.
  const shifted = day + dayZero
  const cycle = Math.floor(shifted / daysIn400Years)
  const dayOfCycle = shifted - cycle * daysIn400Years
  const leaps =
    Math.floor(dayOfCycle / 1460) -
    Math.floor(dayOfCycle / 36_524) +
    Math.floor(dayOfCycle / (daysIn400Years - 1))
  const yearOfCycle = Math.floor((dayOfCycle - leaps) / 365)
  const dayOfYear =
    dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
  const shown = year > 0 ? year : 1 - year
  const shownYear = shown < 1000 ? String(shown).padStart(4, '0') : shown
  return `${shownYear}-${twoDigits[month]}-${twoDigits[dayOfMonth]}${clock}${year > 0 ? '' : ' BC'}`
}

/** The inverse of `formatDay`, of a year as astronomers count it: 0 is 1 BC. */
export function dayOf(year: number, month: number, dayOfMonth: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const marchMonth = month <= 2 ? month + 9 : month - 3
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400)
  return 365 * shifted + leaps + Math.floor((153 * marchMonth + 2) / 5) + dayOfMonth - 1 - dayZero
}

/** `.5`, `.000001`, and nothing for 0. */
export function formatFraction(micros: number): string {
  if (micros === 0) return ''
  let digits = 6
  let value = micros
  while (value % 10 === 0) {
    value /= 10
    digits--
  }
  return `.${String(value).padStart(digits, '0')}`
}

/** Seconds since midnight (86400 is 24:00:00) as `04:05:06.7`. */
export function formatClock(seconds: number, micros: number): string {
  const minutes = Math.floor(seconds / 60)
  return `${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}${formatFraction(micros)}`
}

/** The offset from UTC, in seconds to the east, as `+01:00`; seconds only where there are some. */
export function formatOffset(east: number): string {
  const seconds = Math.abs(east)
  const minutes = Math.floor(seconds / 60)
  const rest = seconds % 60 === 0 ? '' : `:${twoDigits[seconds % 60]}`
  return `${east < 0 ? '-' : '+'}${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}${rest}`
}
