import { crossed } from './support/cells.ts'
import { frozen } from './support/faults-of-servers.ts'

crossed(frozen)
