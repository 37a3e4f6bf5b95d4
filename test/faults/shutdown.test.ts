import { crossed } from './support/cells.ts'
import { expired, poolClosed, poolClosedInTime, poolTerminated } from './support/faults-of-users.ts'

crossed(expired)
crossed(poolClosed)
crossed(poolClosedInTime)
crossed(poolTerminated)
