const limit = 30_000

/**
 * Terminals, and npm on top of them, tell one Ctrl-C several times over; only what comes after this counts as a
 * second wish.
 */
const sameWish = 500

/**
 * On SIGTERM or SIGINT runs `stop` and exits with 0; with 1 where it fails, takes more than 30 s, or a second signal
 * comes.
 */
export function exitOnSignal(stop: (signal: NodeJS.Signals) => Promise<void>): void {
  let firstAt: number | undefined

  const heard = (signal: NodeJS.Signals) => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > sameWish) giveUp(`${signal} again: not waiting any longer`)
      return
    }
    firstAt = performance.now()
    setTimeout(giveUp, limit, `not stopped within ${limit / 1000} s`)
    stop(signal).then(
      () => process.exit(0),
      (error: unknown) =>
        giveUp(`could not stop in order: ${error instanceof Error ? error.message : error}`),
    )
  }

  process.on('SIGTERM', heard)
  process.on('SIGINT', heard)
}

function giveUp(reason: string): never {
  process.stderr.write(`${reason}\n`)
  process.exit(1)
}
