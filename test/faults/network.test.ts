import { crossed } from './support/cells.ts'
import { blackHole, deaf, hungUp, reset, slow, unreachable } from './support/faults-of-networks.ts'

crossed(reset)
crossed(hungUp)
crossed(unreachable)
crossed(blackHole)
crossed(deaf)
crossed(slow)
