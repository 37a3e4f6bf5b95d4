export { connect } from './connection/connect.ts'
export type { ConnectOptions } from './connection/connecting/connect-options.ts'
export { Connection } from './connection/connection.ts'
export type { CopySource } from './connection/copy/copy-in.ts'
export type {
  CopyFormatOptions,
  CopyFromOptions,
  CopyFromTableOptions,
  CopyRecordsOptions,
  CopyToTableOptions,
} from './connection/copy/copy-options.ts'
export type { CopyOutput } from './connection/copy/copy-out.ts'
export type { Cursor, CursorOptions } from './connection/cursor.ts'
export type {
  LogListener,
  NotificationListener,
  NotificationSource,
  TerminationListener,
} from './connection/listeners.ts'
export type { Attribute, PreparedStatement, TypeName } from './connection/prepared-statement.ts'
export type { CallOptions, Field, QueryOptions, QueryResult, Row } from './connection/queries.ts'
export type { ServerVersion } from './connection/server-version.ts'
export type { SessionOptions } from './connection/session-options.ts'
export type { Sql, SqlObject } from './connection/sql/sql.ts'
export type { Transaction, TransactionOptions } from './connection/transaction.ts'
export type { Duration } from './duration.ts'
export {
  ConnectError,
  ConnectionLostError,
  DataError,
  InterfaceError,
  type Outcome,
  PoolClosedError,
  PoolDeadlockError,
  PoolOverloadedError,
  PoolTimeoutError,
  PostgresError,
  type PostgresReport,
  QueryTimeoutError,
  RockpoolError,
} from './errors.ts'
export type { ConnectionHook } from './hooks.ts'
export type { ConnectHook, PoolDiagnostics, PoolHooks, PoolOptions } from './options.ts'
export { type AcquireOptions, createPool, Pool, type PoolEvents } from './pool.ts'
export type { ListenOptions, Subscription } from './pool-listener.ts'
export type { PoolTransactionOptions } from './pool-transaction.ts'
export type { CloseReason, PoolStats } from './pooling/index.ts'
export type { TypeFunctions, TypeOptions, TypeOverride } from './wire/codecs/index.ts'
