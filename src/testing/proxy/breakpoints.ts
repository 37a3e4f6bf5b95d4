import type { ProxiedConnection } from './faults.ts'

export type Action = (connection: ProxiedConnection) => unknown

/** What is to be done once a way has passed so many bytes. */
export class Breakpoints {
  readonly #byByte = new Map<number, Action[]>()

  add(bytes: number, action: Action): void {
    const actions = this.#byByte.get(bytes)
    if (actions === undefined) this.#byByte.set(bytes, [action])
    else actions.push(action)
  }

  clear(): void {
    this.#byByte.clear()
  }

  /** How many bytes may pass after `passed` until something is to be done; `Infinity`: any number. */
  distance(passed: number): number {
    let nearest = Number.POSITIVE_INFINITY
    for (const bytes of this.#byByte.keys()) nearest = Math.min(nearest, bytes - passed)
    return nearest
  }

  /** The next thing to be done at this byte; it is not there any more afterwards. */
  take(passed: number): Action | undefined {
    const actions = this.#byByte.get(passed)
    const action = actions?.shift()
    if (actions?.length === 0) this.#byByte.delete(passed)
    return action
  }
}
