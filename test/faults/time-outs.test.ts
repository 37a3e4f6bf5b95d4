import { crossed } from './support/cells.ts'
import { abort, commandTimeout, idleInTransaction, statementTimeout } from './support/faults-of-users.ts'

crossed(commandTimeout)
crossed(statementTimeout)
crossed(idleInTransaction)
crossed(abort)
