import { crossed } from './support/cells.ts'
import { doubled, endless, unknownMessage, zeroLength } from './support/faults-of-protocol.ts'

crossed(zeroLength)
crossed(endless)
crossed(unknownMessage)
crossed(doubled)
