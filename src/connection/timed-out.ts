import { formatDuration } from '../duration.ts'
import { type Outcome, QueryTimeoutError } from '../errors.ts'

/** The error of a call whose time is over. `preparing`: of one that was not run, the server was at it all the same. */
export function timedOut(timeout: number, outcome: Outcome, preparing = false): QueryTimeoutError {
  const limit = formatDuration(timeout)
  const notRun = preparing
    ? 'was still being prepared by then and was not run'
    : 'waited behind others on its connection until its time was over and was not sent'
  const what = outcome === 'not-sent' ? notRun : 'took longer than that and was cancelled on the server'
  return new QueryTimeoutError(`command time-out of ${limit}: the statement ${what}`, { outcome })
}
