export type { Codec, Format } from './codec.ts'
export { TypeConfiguration } from './configuration.ts'
export type { TypeFunctions, TypeOptions, TypeOverride } from './overrides.ts'
export {
  checkArgumentCount,
  encodeParameters,
  type PreparedArguments,
  prepareArguments,
} from './parameters.ts'
export { type TypeDescription, TypeRegistry } from './registry.ts'
