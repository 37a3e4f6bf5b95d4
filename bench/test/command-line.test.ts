import { describe, expect, it } from 'vitest'
import { positiveNumber, positiveWhole, readArguments } from '../src/command-line.ts'

const defaults = { seconds: '2', rounds: '5' }

describe('the command line', () => {
  it('gives the defaults and no DSN where nothing is set', () => {
    expect(readArguments([], { DATABASE_URL: ' ' }, defaults)).toEqual({ dsn: undefined, flags: defaults })
  })

  it('takes the DSN from the first argument, else from DATABASE_URL', () => {
    const environment = { DATABASE_URL: 'postgres://environment' }
    expect(readArguments([], environment, defaults).dsn).toBe('postgres://environment')
    expect(readArguments(['postgres://argument'], environment, defaults).dsn).toBe('postgres://argument')
  })

  it('takes flags in both spellings', () => {
    const { flags } = readArguments(['--seconds', '0.5', '--rounds=7'], {}, defaults)
    expect(flags).toEqual({ seconds: '0.5', rounds: '7' })
  })

  it('refuses an unknown flag and a second DSN', () => {
    expect(() => readArguments(['--only', 'pg'], {}, defaults)).toThrow('--seconds, --rounds')
    expect(() => readArguments(['a', 'b'], {}, defaults)).toThrow('one DSN at most, not 2')
  })

  it.for(['0', '-1', '', 'soon', 'Infinity'])('refuses %j as a number, naming the flag', (text) => {
    expect(() => positiveNumber('seconds', text)).toThrow(`--seconds: ${JSON.stringify(text)}`)
  })

  it('refuses a part of a round', () => {
    expect(() => positiveWhole('rounds', '1.5')).toThrow('--rounds: "1.5" is not a whole number')
    expect(positiveWhole('rounds', '3')).toBe(3)
  })
})
