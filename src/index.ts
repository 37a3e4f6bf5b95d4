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
