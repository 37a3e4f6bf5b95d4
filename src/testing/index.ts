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
