import { Ajv, type ErrorObject } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import type { Problem } from './schemas.ts'

/** Input that the schema refuses. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput'
  readonly details: Problem['details']

  constructor(details: Problem['details']) {
    super('the input is not valid')
    this.details = details
  }
}

const ajv = new Ajv({ allErrors: true, validateFormats: false })

/**
 * A body counts as it is written: nothing is converted, and unknown fields are refused, not dropped. Query and path
 * are text, so there a decimal number is read as one where the schema wants an integer.
 */
export const strictValidation: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validate = ajv.compile(schema)
  const readable = httpPart === 'body' ? (value: unknown) => value : readIntegers(schema)
  return (input: unknown) => {
    const value = readable(input)
    if (validate(value)) return { value }
    return { error: new InvalidInput((validate.errors ?? []).map((error) => detailOf(error, httpPart))) }
  }
}

function readIntegers(schema: TSchema): (input: unknown) => unknown {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  const names = Object.keys(properties).filter((name) => properties[name]?.type === 'integer')
  return (input) => {
    const read = { ...(input as Record<string, unknown>) }
    for (const name of names) {
      const text = read[name]
      if (typeof text === 'string' && /^-?\d+$/.test(text)) read[name] = Number(text)
    }
    return read
  }
}

function detailOf(error: ErrorObject, httpPart: string | undefined): Problem['details'][number] {
  const { keyword, params, instancePath, message = 'is not valid' } = error
  const path = instancePath.slice(1).replaceAll('/', '.')
  if (keyword === 'required') return { field: String(params.missingProperty), reason: 'is required' }
  if (keyword === 'additionalProperties') {
    return { field: String(params.additionalProperty), reason: 'is unknown' }
  }
  const reason = keyword === 'pattern' ? 'holds a character that cannot be stored' : message
  return { field: path === '' ? (httpPart ?? 'body') : path, reason }
}
