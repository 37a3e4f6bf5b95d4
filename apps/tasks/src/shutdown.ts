const limit = 30_000

/**
 * Terminals, and npm on top of them, tell one Ctrl-C several times over; only what comes after this counts as a
 * second wish.
 */
const sameWish = 500

export interface Ending {
  /** Ends everything in order. */
  stop(): Promise<void>
  /** Ends, before it returns, what would outlive the process. */
  abandon(): void
}

/**
 * On SIGTERM or SIGINT stops in order and exits with 0; where that fails, takes more than 30 s, or a second signal
 * comes, abandons the rest and exits with 1.
 */
export function exitOnSignal({ stop, abandon }: Ending): void {
  let firstAt: number | undefined

  const giveUp = (reason: string) => {
    process.stderr.write(`${reason}\n`)
    abandon()
    process.exit(1)
  }

  const heard = (signal: NodeJS.Signals) => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > sameWish) giveUp(`${signal} again: not waiting any longer`)
      return
    }
    firstAt = performance.now()
    setTimeout(giveUp, limit, `not stopped within ${limit / 1000} s`)
    stop().then(
      () => process.exit(0),
      (error: unknown) =>
        giveUp(`could not stop in order: ${error instanceof Error ? error.message : error}`),
    )
  }

  process.on('SIGTERM', heard)
  process.on('SIGINT', heard)
}
