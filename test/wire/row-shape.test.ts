import { describe, expect, it } from 'vitest'
import { TypeConfiguration, TypeRegistry } from '../../src/wire/codecs/index.ts'
import { RowShapes } from '../../src/wire/row-shape.ts'
import { dataRow, fieldsOf } from './rows.ts'

const int4 = 23
const text = 25
const configuration = new TypeConfiguration()

/** As a connection has it. */
function described(names: readonly string[], typeOids: readonly number[]) {
  const registry = new TypeRegistry(configuration)
  return [fieldsOf(names, typeOids), registry.codecs(typeOids)] as const
}

describe('the shape of rows', () => {
  it('is the same for connections to which the server describes the same columns', () => {
    const shapes = new RowShapes()
    const shape = shapes.of(...described(['id', 'title'], [int4, text]))
    const other = shapes.of(...described(['id', 'title'], [int4, text]))
    expect(other).toBe(shape)
    expect(other.reader('object')).toBe(shape.reader('object'))
    expect(other.reader('array')).toBe(shape.reader('array'))
  })

  it('is another one where a name, a type, the order or the number of the columns is another', () => {
    const shapes = new RowShapes()
    const shape = shapes.of(...described(['id', 'title'], [int4, text]))
    for (const [names, oids] of [
      [
        ['id', 'name'],
        [int4, text],
      ],
      [
        ['id', 'title'],
        [int4, int4],
      ],
      [
        ['title', 'id'],
        [text, int4],
      ],
      [['id'], [int4]],
      [[], []],
    ] as const) {
      expect(shapes.of(...described(names, oids))).not.toBe(shape)
    }
    expect(shapes.of(...described(['id', 'title'], [int4, text]))).toBe(shape)
  })

  it('is another one for a connection that reads a type in its own way', () => {
    const shapes = new RowShapes()
    const [fields, codecs] = described(['n'], [int4])
    const shape = shapes.of(fields, codecs)
    const own = shapes.of(fields, [{ ...codecs[0]!, decode: () => 'its own' }])
    const row = dataRow([Buffer.of(0, 0, 0, 7)])
    expect(own.reader('object')(row, 0, row.length)).toEqual({ n: 'its own' })
    expect(shape.reader('object')(row, 0, row.length)).toEqual({ n: 7 })
  })

  it('is right, too, where it is too long to be remembered, or after very many others', () => {
    const shapes = new RowShapes()
    const names = [...Array(600).keys(), 'x'.repeat(10_000)].map(String)
    for (const name of names) {
      expect(shapes.of(...described([name], [int4])).fields.map((field) => field.name)).toEqual([name])
    }
  })
})
