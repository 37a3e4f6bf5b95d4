import { InterfaceError, RockpoolError } from '../errors.ts'
import type { RowReader } from '../wire/row-reader.ts'
import { readLimits } from './call-limits.ts'
import type { Command } from './commands/command.ts'
import { type Batch, ClosePortalCommand, FetchPortalCommand } from './commands/portal-command.ts'
import { QueryCommand, type StatementResult } from './commands/query-command.ts'
import { SimpleCommand } from './commands/simple-command.ts'
import { type CallOptions, checkRowMode, type QueryOptions, type Row } from './queries.ts'
import type { CallLimits, Session } from './session.ts'
import type { StatementStore } from './statements/statement-cache.ts'
import type { TransactionScope } from './transaction.ts'

export interface CursorOptions extends QueryOptions {
  /** How many rows `for await` asks for at a time, and holds at most. Default 50. */
  prefetch?: number
}

/** What a cursor reads. */
export interface CursorQuery {
  readonly sql: string
  readonly args: readonly unknown[]
  readonly store: StatementStore
}

/** Execute counts rows in an Int32. */
const mostRows = 2 ** 31 - 1

/**
 * The rows of a query, asked for as they are wanted: by `for await`, or with `fetch`, `fetchRow` and `forward`. It
 * lives within a transaction, and its query starts at the first call ("Portals", protocol-query-concepts). Calls at
 * once are answered in their order.
 *
 * `timeout` and `signal` bound each call by itself, and with `for await` each batch. Calls reject with InterfaceError
 * outside a transaction, and otherwise as the connection's calls do.
 */
export class Cursor<R = Row> implements AsyncIterable<R>, AsyncDisposable {
  readonly #session: Session
  readonly #scope: TransactionScope
  readonly #query: () => CursorQuery
  readonly #options: CursorOptions
  readonly #portal: string
  /** `'broken'`: a call did not end as it should, so that rows may be missing; it cannot go on. */
  #state: 'new' | 'open' | 'broken' | 'ended' = 'new'
  /** `transactionsEnded` of the session when the portal was opened, in the transaction that it ends with. */
  #transaction = 0
  #read: RowReader | undefined
  /** Settles when the calls before are over; `undefined`: there are none. */
  #turn: Promise<void> | undefined

  /** Made by `cursor()`. `query` throws where the statement or its arguments are not what they should be. */
  constructor(
    session: Session,
    scope: TransactionScope,
    query: () => CursorQuery,
    options: CursorOptions = {},
  ) {
    this.#session = session
    this.#scope = scope
    this.#query = query
    this.#options = options
    this.#portal = session.newPortalName()
  }

  /** The next rows, `count` at most; an empty array behind the last one. */
  fetch(count: number, options?: CallOptions): Promise<R[]> {
    return this.#inTurn(async () => {
      this.#check('fetch')
      checkCount('fetch', 'the count', count)
      return this.#fetch(count, this.#limits('fetch', options))
    })
  }

  /** The next row, or `null` behind the last one. */
  fetchRow(options?: CallOptions): Promise<R | null> {
    return this.#inTurn(async () => {
      this.#check('fetchRow')
      const [row] = await this.#fetch(1, this.#limits('fetchRow', options))
      return row ?? null
    })
  }

  /** Skips rows, `count` at most, and tells how many ("MOVE", sql-move). */
  forward(count: number, options?: CallOptions): Promise<number> {
    return this.#inTurn(async () => {
      this.#check('forward')
      checkCount('forward', 'the count', count)
      const limits = this.#limits('forward', options)
      if (this.#state === 'new') {
        await this.#open('bound', limits)
        this.#check('forward')
      }
      if (this.#state === 'ended') return 0
      const move = `MOVE FORWARD ${count} IN ${this.#portal}`
      const tag = await this.#run(new SimpleCommand(this.#session, move), limits)
      const moved = Number(tag.split(' ')[1])
      if (moved < count) this.#end()
      return moved
    })
  }

  /** Ends the query; further calls find no more rows. A second close, or one behind the transaction, does nothing. */
  close(): Promise<void> {
    return this.#inTurn(async () => this.#end())
  }

  /** The end of the scope of `await using`: the same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The rows that are left, `prefetch` at a time. The cursor is closed when the loop is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    const { prefetch = 50 } = this.#options
    checkCount('cursor', 'prefetch', prefetch)
    try {
      while (this.#state !== 'ended') {
        for (const row of await this.fetch(prefetch)) yield row
      }
    } finally {
      await this.close()
    }
  }

  async #fetch(count: number, limits: CallLimits): Promise<R[]> {
    if (this.#state === 'ended') return []
    const { rows, isComplete } =
      this.#read === undefined
        ? await this.#open(count, limits)
        : await this.#run(new FetchPortalCommand(this.#session, this.#portal, count, this.#read), limits)
    if (isComplete) this.#end()
    return rows as R[]
  }

  /** Binds the portal, and runs it up to its first rows. */
  async #open(limit: number | 'bound', limits: CallLimits): Promise<Batch> {
    const { sql, args, store } = this.#query()
    const rowMode = checkRowMode('cursor', this.#options.rowMode)
    const opened = ({ statement, ...batch }: StatementResult) => {
      this.#transaction = this.#session.transactionsEnded
      this.#read = statement.reader(rowMode)
      this.#state = 'open'
      return batch
    }
    const execution = { store, portal: this.#portal }
    return this.#run(
      new QueryCommand(this.#session, sql, args, { rowMode, limit }, opened, execution),
      limits,
    )
  }

  /** A call that the server failed has failed the transaction, which tells the next one by itself. */
  async #run<T>(command: Command<T>, limits: CallLimits): Promise<T> {
    limits.signal?.throwIfAborted()
    try {
      return await this.#session.run(command, limits)
    } catch (error) {
      const outcome = error instanceof RockpoolError ? error.outcome : undefined
      if (outcome !== 'not-sent' && outcome !== 'failed') {
        this.#state = 'broken'
        this.#closePortal()
      }
      throw error
    }
  }

  #end(): void {
    const wasOpen = this.#state === 'open' && !this.#isBehindItsTransaction
    this.#state = 'ended'
    if (wasOpen) this.#closePortal()
  }

  get #isBehindItsTransaction(): boolean {
    return this.#transaction !== this.#session.transactionsEnded
  }

  /**
   * Until it is closed, a portal keeps its tables from being altered; nothing has to wait for that. Behind the end of
   * the scope the session may be another's, and whoever ended it closes what is open.
   */
  #closePortal(): void {
    if (this.#session.transactionStatus === 'I') return
    try {
      this.#scope.checkUsable('close', 'Cursor')
    } catch {
      return
    }
    const command = new ClosePortalCommand(this.#session, this.#portal)
    this.#session.runUncounted(command, { timeout: 0, signal: undefined }).catch(ignore)
  }

  #check(method: string): void {
    this.#scope.checkUsable(method, 'Cursor')
    const problem = this.#problem()
    if (problem === undefined) return
    throw new InterfaceError(`cannot call Cursor.${method}(): ${problem}`, { outcome: 'not-sent' })
  }

  #problem(): string | undefined {
    if (this.#state === 'broken') {
      return 'a call before did not end as it should, and its rows are lost; begin with another cursor'
    }
    if (this.#state === 'open' && this.#isBehindItsTransaction) {
      return 'the transaction that the cursor was in has ended'
    }
    if (this.#state === 'new' && this.#session.transactionStatus === 'I') {
      return 'a cursor needs a transaction around it: use transaction(), and cursor() on what it gives'
    }
    return undefined
  }

  #limits(method: string, options: CallOptions | undefined): CallLimits {
    const own = readLimits('cursor', this.#options, ['rowMode', 'prefetch'])
    const { timeout, signal } = readLimits(method, options)
    return this.#session.limits(timeout ?? own.timeout, signal ?? own.signal)
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#turn === undefined ? call() : this.#turn.then(call)
    const turn = result.then(ignore, ignore).finally(() => {
      if (this.#turn === turn) this.#turn = undefined
    })
    this.#turn = turn
    return result
  }
}

const ignore = () => {}

/** @throws InterfaceError where `count` is no number of rows. */
function checkCount(method: string, what: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= mostRows) return
  throw new InterfaceError(`${method}(): ${what} must be a whole number from 1 to ${mostRows}`, {
    outcome: 'not-sent',
  })
}
