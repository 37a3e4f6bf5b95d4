import { DataError, InterfaceError } from '../../errors.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { type Codec, checkSize, mostBytes, Refusal, undefinedRefused } from './codec.ts'

/** Bind and ParameterDescription count parameters in an Int16, read without a sign. */
const mostParameters = 65_535
/** Room for the rest of Bind: the names of the portal and the statement, the result formats of 1,664 columns. */
const restOfBind = 8192

declare const prepared: unique symbol
/** What `prepareArguments` made: nothing in it runs the caller's code any more. */
export type PreparedArguments = readonly unknown[] & { readonly [prepared]: true }

/**
 * Refuses, before Parse is sent, a number of arguments that no statement can have.
 *
 * @throws InterfaceError with the outcome `'not-sent'`.
 */
export function checkArgumentCount(given: number): void {
  if (given <= mostParameters) return
  throw new InterfaceError(
    `${given} arguments were given, and a statement takes ${mostParameters} at most; ` +
      'pass arrays (unnest($1::int[]), = any($1)) instead',
    { outcome: 'not-sent' },
  )
}

/**
 * Makes the arguments ready for `encodeParameters`. As this may run the caller's code (`toJSON`, getters), which
 * may use the same connection, it is called before the message is begun.
 *
 * @throws InterfaceError where their number is not the statement's, DataError naming `$n` where one is undefined
 * or of no use for its type; both with the outcome `'not-sent'`.
 */
export function prepareArguments(codecs: readonly Codec[], args: readonly unknown[]): PreparedArguments {
  checkArgumentCount(args.length)
  if (args.length !== codecs.length) {
    const takes = codecs.length === 1 ? '1 argument' : `${codecs.length} arguments`
    throw new InterfaceError(`the statement takes ${takes}, and ${args.length} were given`, {
      outcome: 'not-sent',
    })
  }
  let ready: unknown[] | undefined
  for (let i = 0; i < codecs.length; i++) {
    const value = args[i]
    if (value === null) continue
    const codec = codecs[i]!
    try {
      if (value === undefined) throw undefinedRefused()
      if (codec.prepare === undefined) continue
      const own = codec.prepare(value)
      ready ??= args.slice()
      ready[i] = own
    } catch (error) {
      throw cannotEncode(error, i, codec)
    }
  }
  return (ready ?? args) as PreparedArguments
}

/**
 * Appends the part of Bind that carries the parameters: the number of format codes and the codes, the number of
 * values, and each value with its length. "Bind" (protocol-message-formats). What was appended before a failure
 * stays in `out`: the caller truncates it.
 *
 * @throws DataError naming `$n`, the value's kind and the type, with the outcome `'not-sent'`.
 */
export function encodeParameters(out: OutBuffer, codecs: readonly Codec[], args: PreparedArguments): void {
  const count = codecs.length
  const start = out.position
  out.int16(count)
  for (let i = 0; i < count; i++) {
    const codec = codecs[i]!
    out.int16(codec.formatOf === undefined ? codec.parameterFormat : codec.formatOf(args[i]))
  }
  out.int16(count)
  for (let i = 0; i < count; i++) {
    out.int32(-1)
    const value = args[i]
    if (value === null) continue
    const codec = codecs[i]!
    const at = out.position
    try {
      codec.encode(value, out)
      checkSize(out.position - at)
      if (out.position - start > mostBytes - restOfBind) {
        throw new Refusal(
          'with it the arguments have more bytes than a message can (1 GiB); send them in parts',
        )
      }
    } catch (error) {
      throw cannotEncode(error, i, codec)
    }
    out.buffer.writeInt32BE(out.position - at, at - 4)
  }
}

function cannotEncode(error: unknown, index: number, codec: Codec): DataError {
  if (error instanceof Refusal) {
    return new DataError(`cannot encode $${index + 1}${error.place} as ${codec.name}: ${error.message}`, {
      outcome: 'not-sent',
      ...('cause' in error && { cause: error.cause }),
    })
  }
  return new DataError(
    `cannot encode $${index + 1} as ${codec.name}: turning it into bytes failed (see cause)`,
    {
      outcome: 'not-sent',
      cause: error,
    },
  )
}
