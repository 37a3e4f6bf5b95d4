import type { Pool } from '../../../src/index.ts'
import type { Random } from '../../pool/support/tenants.ts'
import type { Lag } from '../clock.ts'
import type { Fate } from '../messages.ts'
import type { Impatience } from './impatience.ts'

/** What an operation works with. */
export interface Stage {
  readonly pool: Pool
  /** Whether whatever an owner does to its session is taken back: not only what its statements' texts tell. */
  readonly resetsAll: boolean
  readonly random: Random
  readonly impatience: Impatience
  /** An id for a write that no other has. */
  newId(): number
  /** What became of a write, and with what words its caller was told. */
  settle(id: number, fate: Fate, words?: string): void
  readonly lag: Lag
  /** The leases there are, by server process: one each. */
  readonly owners: Map<number, string>
}

/** Something that users do. It rejects as its calls do, but not with what it provoked. */
export interface Operation {
  readonly name: string
  /** How often it is chosen, relative to the others. */
  readonly weight: number
  run(stage: Stage): Promise<void>
}
