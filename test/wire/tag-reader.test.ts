import { describe, expect, test } from 'vitest'
import { TagReader } from '../../src/wire/messages.ts'

const body = (tag: string) => Buffer.from(`${tag}\0`)

describe('the tags of a connection', () => {
  test('are read as they come, whatever came before', () => {
    const tags = new TagReader()
    for (const tag of [
      'SELECT 1',
      'SELECT 1',
      'SELECT 2',
      'SELECT 12',
      'SELECT 1',
      '',
      'INSERT 0 1',
      'é',
      'é',
    ]) {
      const bytes = body(tag)
      expect(tags.read(bytes, 0, bytes.length)).toBe(tag)
    }
  })

  test('are those of their own bytes, within a chunk', () => {
    const tags = new TagReader()
    const bytes = Buffer.concat([body('SELECT 1'), body('COMMIT')])
    expect(tags.read(bytes, 0, 9)).toBe('SELECT 1')
    expect(tags.read(bytes, 9, bytes.length)).toBe('COMMIT')
  })

  test('have an end, also where they are like the one before', () => {
    const tags = new TagReader()
    const bytes = body('SELECT 1')
    tags.read(bytes, 0, bytes.length)
    expect(() => tags.read(Buffer.from('SELECT 1!'), 0, 9)).toThrow('a string has no end')
  })
})
