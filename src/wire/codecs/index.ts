export type { Codec, Format } from './codec.ts'
export {
  checkArgumentCount,
  encodeParameters,
  type PreparedArguments,
  prepareArguments,
} from './parameters.ts'
export { type TypeOptions, TypeRegistry } from './registry.ts'
