import { type CallOptions, PoolTimeoutError, QueryTimeoutError } from '../../../src/index.ts'
import type { Random } from '../../pool/support/tenants.ts'

/** How some callers are: in a hundred calls so many leave early, by a signal or a time-out of their own. */
const share = 8

/** The limits of one operation's calls: mostly none. */
export class Impatience {
  readonly options: CallOptions
  /** In milliseconds. */
  readonly timeout: number | undefined
  readonly #reason = new Error('the caller has left')
  readonly #timer: NodeJS.Timeout | undefined

  constructor(random: Random) {
    this.options = {}
    if (!random.chance(share)) return
    const patience = 1 + random.below(40)
    if (random.chance(50)) {
      this.timeout = patience
      this.options = { timeout: patience }
    } else {
      const controller = new AbortController()
      this.#timer = setTimeout(() => controller.abort(this.#reason), patience)
      this.options = { signal: controller.signal }
    }
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  /** Whether the caller brought it about. */
  explains(error: unknown): boolean {
    if (this.timeout === undefined) return error === this.#reason
    return error instanceof QueryTimeoutError || error instanceof PoolTimeoutError
  }
}
