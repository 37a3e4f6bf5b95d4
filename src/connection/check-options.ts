import { InterfaceError } from '../errors.ts'

const fold = (name: string) => name.replaceAll('_', '').toLowerCase()

/**
 * @throws InterfaceError naming the first option that is not among `known`, with the one that was probably meant, or
 * that is null: `undefined`, or nothing at all, asks for the default, null asks for nothing that there is.
 */
export function checkOptions(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InterfaceError('the options must be an object, as in { maxSize: 20 }')
  }
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      const meant = known.find((candidate) => fold(candidate) === fold(name))
      const hint = meant === undefined ? `the options are ${known.join(', ')}` : `did you mean ${meant}?`
      throw new InterfaceError(`unknown option ${JSON.stringify(name)}; ${hint}`)
    }
    if (value === null) throw new InterfaceError(`${name}: null is no value; leave it out for the default`)
  }
}
