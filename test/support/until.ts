import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks again and again until the answer is neither `undefined` nor `false`, and gives it. For what announces itself
 * by no event, such as a row of pg_stat_activity; where there is an event, wait for that.
 *
 * @throws Error naming `what` after `within` milliseconds.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  within = 5_000,
): Promise<T> {
  const end = performance.now() + within
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`)
    await pause(10)
  }
}
