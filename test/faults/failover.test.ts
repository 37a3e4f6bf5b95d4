import { crossed } from './support/cells.ts'
import { failedOver } from './support/faults-of-servers.ts'

crossed(failedOver)
