import type { Clock } from '../deadline.ts'
import { type Duration, parseDuration } from '../duration.ts'
import { InterfaceError } from '../errors.ts'
import { TypeConfiguration, type TypeOptions } from '../wire/codecs/index.ts'
import { RowShapes } from '../wire/row-shape.ts'
import { StartReports } from './reported-settings.ts'
import type { SessionSettings } from './session.ts'

export interface SessionOptions {
  /** How long a command may run before it is cancelled on the server. Default: no limit; 0: no limit. */
  commandTimeout?: Duration | undefined
  /** How long a cancelled statement may take to end before its connection is closed. Default `'2s'`; 0: no limit. */
  cancelTimeout?: Duration | undefined
  /** How long the server may take to close a connection before its socket is destroyed. Default `'5s'`; 0: no limit. */
  closeTimeout?: Duration | undefined
  /** How many prepared statements a connection keeps. Default 100; 0 keeps none and uses the unnamed statement. */
  statementCacheSize?: number | undefined
  /** After how long a kept statement is prepared anew. Default `'300s'`; 0: never. */
  maxCachedStatementLifetime?: Duration | undefined
  /** The longest statement that is kept, in characters. Default 15,360; 0: any length. */
  maxCacheableStatementSize?: number | undefined
  /** How values of some types are read. */
  types?: TypeOptions | undefined
}

export const sessionOptionNames = [
  'commandTimeout',
  'cancelTimeout',
  'closeTimeout',
  'statementCacheSize',
  'maxCachedStatementLifetime',
  'maxCacheableStatementSize',
  'types',
] as const satisfies readonly (keyof SessionOptions)[]

/** @throws InterfaceError naming the option that is not what it should be. */
export function resolveSessionOptions(options: SessionOptions, clock: Clock): SessionSettings {
  return {
    commandTimeout: parseDuration('commandTimeout', options.commandTimeout ?? 0),
    cancelTimeout: parseDuration('cancelTimeout', options.cancelTimeout ?? 2_000),
    closeTimeout: parseDuration('closeTimeout', options.closeTimeout ?? 5_000),
    statementCache: {
      size: count('statementCacheSize', options.statementCacheSize ?? 100),
      lifetime: parseDuration('maxCachedStatementLifetime', options.maxCachedStatementLifetime ?? 300_000),
      largest: count('maxCacheableStatementSize', options.maxCacheableStatementSize ?? 15_360),
    },
    types: new TypeConfiguration(options.types),
    shapes: new RowShapes(),
    startReports: new StartReports(),
    clock,
  }
}

function count(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new InterfaceError(`${option}: ${JSON.stringify(value) ?? String(value)} is not a whole number ≥ 0`)
}
