import { crossed } from './support/cells.ts'
import { crashed, postmasterFrozen, stoppedAtOnce, stoppedFast } from './support/faults-of-servers.ts'

crossed(crashed)
crossed(stoppedFast)
crossed(stoppedAtOnce)
crossed(postmasterFrozen)
