import { crossed } from './support/cells.ts'
import { clockBack, clockForward, stalled } from './support/faults-of-processes.ts'

crossed(stalled)
crossed(clockForward)
crossed(clockBack)
