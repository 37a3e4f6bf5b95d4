import { crossed } from './support/cells.ts'
import { cancelledByAnother, ended } from './support/faults-of-servers.ts'

crossed(ended)
crossed(cancelledByAnother)
