import { now } from '../clock.ts'

/** The word that a fault begins may come so much later than its effect, in milliseconds. */
const hearsay = 500

/** Whether there is a fault that a caller may fail of. */
export class Weather {
  /** Since when there is none; `undefined`: there is. */
  #calmSince: number | undefined

  storm(): void {
    this.#calmSince = undefined
  }

  calm(after: number): void {
    this.#calmSince = now() + after
  }

  /** Calls `tell` soon, if there was no fault from `moment` to now. */
  ifCalmSince(moment: number, tell: () => void): void {
    if (!this.#wasCalmSince(moment)) return
    setTimeout(() => {
      if (this.#wasCalmSince(moment)) tell()
    }, hearsay).unref()
  }

  #wasCalmSince(moment: number): boolean {
    return this.#calmSince !== undefined && this.#calmSince <= moment
  }
}
