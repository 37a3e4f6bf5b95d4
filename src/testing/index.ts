export type { Clock, Timer } from '../deadline.ts'
export {
  type AcquireOptions,
  type CloseOptions,
  type CloseReason,
  type Connector,
  type Environment,
  type Lease,
  type PoolEvents,
  type PoolOptions,
  type PoolSettings,
  type PoolStats,
  ResourcePool,
  resolvePoolSettings,
} from '../pooling/index.ts'
export { type ConnectionListener, FaultProxy, type FaultProxyOptions } from './proxy/fault-proxy.ts'
export type {
  BytesRewriter,
  ConnectionKind,
  Faults,
  Flow,
  MessageRewriter,
  OneWayFaults,
  ProxiedConnection,
} from './proxy/faults.ts'
export { ProtocolMessage } from './proxy/protocol-message.ts'
export {
  PermanentError,
  ScriptedConnection,
  ScriptedConnector,
  type ScriptedConnectorOptions,
} from './scripted/scripted-connector.ts'
export { Step } from './scripted/step.ts'
export { settled, VirtualClock } from './scripted/virtual-clock.ts'
