import { now } from '../clock.ts'

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

  /** Whether there was none from `moment` on. */
  wasCalmSince(moment: number): boolean {
    return this.#calmSince !== undefined && this.#calmSince <= moment
  }
}
