import type { Fault } from './fault.ts'
import * as networks from './faults-of-networks.ts'
import * as processes from './faults-of-processes.ts'
import * as protocol from './faults-of-protocol.ts'
import * as servers from './faults-of-servers.ts'
import * as users from './faults-of-users.ts'

/** Every fault that is crossed with the states of a connection. */
export const matrix: readonly Fault[] = [networks, processes, protocol, servers, users].flatMap((faults) =>
  Object.values(faults),
)
