import { describe, expect, it } from 'vitest'
import { interpolate } from '../../src/connection/copy/copy-arguments.ts'

describe('the parameters of a copied query', () => {
  it.for<[what: string, sql: string, expected: string]>([
    ['a parameter', 'select $1,$2+$1', 'select <1>,<2>+<1>'],
    ['one that has no argument stays', 'select $3', 'select $3'],
    ['$10 is not $1', 'select $10', 'select $10'],
    ['strings', "select '$1', 'it''s $1', $1", "select '$1', 'it''s $1', <1>"],
    ['escape strings', "select E'\\'$1', e'\\\\', $1", "select E'\\'$1', e'\\\\', <1>"],
    ['a name that ends with e', "select type'\\', $1", "select type'\\', <1>"],
    ['quoted names', 'select "$1", "a""$1", $1', 'select "$1", "a""$1", <1>'],
    ['names with a dollar', 'select a$1, é$1, $1', 'select a$1, é$1, <1>'],
    ['comments', 'select $1 -- $1\n, $2', 'select <1> -- $1\n, <2>'],
    ['nested comments', '/* $1 /* $1 */ $1 */ $1', '/* $1 /* $1 */ $1 */ <1>'],
    ['dollar quotes', 'select $$ $1 $$, $a$ $$ $1 $b$ $a$, $1', 'select $$ $1 $$, $a$ $$ $1 $b$ $a$, <1>'],
    ['what does not end', "select $1, '$1", "select <1>, '$1"],
    ['a comment that does not end', 'select $1 /* $1', 'select <1> /* $1'],
  ])('%s', ([, sql, expected]) => {
    expect(interpolate(sql, ['<1>', '<2>'], true)).toBe(expected)
  })

  it('a literal with patterns of its own is put in as it is', () => {
    expect(interpolate('$1 $2', ["'$2 $& $1'", 'b'], true)).toBe("'$2 $& $1' b")
  })

  it('with standard_conforming_strings off, a backslash escapes in every string', () => {
    expect(interpolate("'\\'$1' $1", ['x'], false)).toBe("'\\'$1' x")
    expect(interpolate("'\\' $1", ['x'], true)).toBe("'\\' x")
  })
})
