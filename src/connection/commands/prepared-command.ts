import { DataError, PostgresError, RockpoolError } from '../../errors.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { writeDescribeStatement, writeFlush, writeParse, writeSync } from '../../wire/frontend.ts'
import {
  type BodyReader,
  type FieldDescription,
  readParameterDescription,
  readRowDescription,
  type TransactionStatus,
} from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { Continuation } from '../../wire/request.ts'
import { isPlainQuery } from '../sql/first-word.ts'
import { Statement, type ValueFormats } from '../statements/statement.ts'
import type { StatementCache, StatementStore } from '../statements/statement-cache.ts'
import { Command, type CommandHost, takesCancel } from './command.ts'

/** What prepared commands of one connection share. */
export interface PreparedCommandHost extends CommandHost, ValueFormats {
  readonly cache: StatementCache
  /** Asks the server for types that `asker`, which is alone, needs; it is written again behind the question. */
  askTypes(asker: Command<unknown>, oids: readonly number[], failed: (reason: unknown) => void): void
  /** A statement that was right once does not fit any more: others, on other connections too, may not either. */
  statementsOutdated(): void
}

/** 22P02 invalid_text_representation: for a composite, it may have other attributes by now. */
export const malformedValue = '22P02'

/**
 * A command that runs a statement through the extended protocol ("Extended Query", protocol-flow). One that is not
 * prepared yet is parsed and described first, alone in the pipeline. Its Sync comes after its execution only, so
 * that a bouncer in transaction mode cannot change servers between. A statement that was prepared before and went
 * stale before anything was bound to it is prepared again, once.
 */
export abstract class PreparedCommand<T> extends Command<T> {
  protected readonly sql: string
  protected override readonly host: PreparedCommandHost
  protected readonly copyNeedsSync = true
  readonly #store: StatementStore
  #statement: Statement | undefined
  #isFragile: boolean | undefined
  #preparing: { name: string; parameterTypes: number[]; fields: FieldDescription[] } | undefined
  /** Whether the statement is to be prepared again, once types were asked for or as what was kept of it does not fit. */
  #startsAnew = false
  #unanswered: { reason: unknown } | undefined
  /** Names of statements that what was written first closes on the server. */
  #closes: readonly string[] | undefined
  /** What is known of the execution: it may find a statement from before outdated until Bind has succeeded. */
  #fit: 'assumed' | 'outdated' | 'seen' = 'seen'
  /** Whether its first run may have failed because it was outdated, or by an error that the user's code raised. */
  #isSuspect = false

  constructor(host: PreparedCommandHost, sql: string, store: StatementStore = host.cache) {
    super(host)
    this.host = host
    this.sql = sql
    this.#store = store
  }

  override get text(): string {
    return this.sql
  }

  /** Whatever is no plain query may commit by itself, end the transaction, or wait for COPY data. */
  override get isFragile(): boolean {
    this.#isFragile ??= !(this.#statement?.isPlain ?? isPlainQuery(this.sql))
    return this.#isFragile
  }

  /** Who keeps no statements may be behind a bouncer, which takes what follows a Sync for the next server's. */
  override get isSolitary(): boolean {
    return !this.#store.keeps(this.sql)
  }

  override get isFollower(): boolean {
    return true
  }

  /** Makes the arguments ready for `writeExecution`. May run the user's code. */
  protected abstract prepareExecution(statement: Statement): void
  /** Writes Bind and Execute, once or more. */
  protected abstract writeExecution(out: OutBuffer, statement: Statement): void

  /** Asked when the execution was written: whether `stream` writes more of it, and the Sync. */
  protected get isStreamed(): boolean {
    return false
  }

  protected override get isExecuting(): boolean {
    return this.#preparing === undefined
  }

  override prepare(): void {
    if (this.#unanswered !== undefined) throw this.#unanswered.reason
    this.#startsAnew = false
    this.#statement = this.#store.get(this.sql)
    if (this.#statement === undefined) return
    try {
      this.prepareExecution(this.#statement)
    } catch (error) {
      this.#misfits(error)
    }
  }

  protected override compose(out: OutBuffer): void {
    const start = out.position
    const statement = this.#stillKept()
    if (statement !== undefined) {
      try {
        this.#writeKept(out, statement)
        return
      } catch (error) {
        out.truncate(start)
        this.#misfits(error)
      }
    }
    this.#writePreparation(out)
  }

  /** The arguments' own code may have run statements, for which this one left the store, or came into it anew. */
  #stillKept(): Statement | undefined {
    if (this.#statement === undefined) return undefined
    const kept = this.#store.get(this.sql)
    if (kept === this.#statement) return kept
    if (kept !== undefined) this.#store.forget(kept)
    this.#statement = undefined
    return undefined
  }

  /** An argument that does not fit may fit the type that its parameter has by now: the statement is prepared again. */
  #misfits(error: unknown): void {
    if (!(error instanceof DataError)) throw error
    this.#store.forget(this.#statement!)
    this.#statement = undefined
  }

  #writeKept(out: OutBuffer, statement: Statement): void {
    const { cache } = this.host
    cache.writeLeaving(out)
    this.#fit = 'assumed'
    this.alone = this.isFragile
    this.writeExecution(out, statement)
    this.#writeEnd(out)
    this.#closes = cache.haveLeft()
  }

  #writeEnd(out: OutBuffer): void {
    if (this.isStreamed) this.alone = this.paused = true
    else writeSync(out)
  }

  #writePreparation(out: OutBuffer): void {
    const { cache } = this.host
    cache.writeLeaving(out)
    const name = this.#store.nameFor(this.sql)
    writeParse(out, name, this.sql)
    writeDescribeStatement(out, name)
    writeFlush(out)
    this.#preparing = { name, parameterTypes: [], fields: [] }
    this.#fit = 'seen'
    this.alone = this.paused = true
    this.#closes = cache.haveLeft()
  }

  override resume(out: OutBuffer): void {
    const { cache } = this.host
    if (this.failure === undefined && !this.#askTypes()) {
      const { name, parameterTypes, fields } = this.#preparing!
      const statement = new Statement(this.sql, name, parameterTypes, fields, this.host)
      this.#statement = statement
      this.#store.add(statement)
      cache.writeLeaving(out)
      cache.haveLeft()
      if (this.#execute(out, statement)) {
        this.#writeEnd(out)
        return
      }
    }
    writeSync(out)
  }

  /** A simple query for the types ends the unnamed statement, so that whatever was prepared is prepared again. */
  #askTypes(): boolean {
    const { name, parameterTypes, fields } = this.#preparing!
    const { cache, types } = this.host
    const unknown = types.unknown([...parameterTypes, ...fields.map((field) => field.typeOid)])
    if (unknown.length === 0) return false
    this.#startsAnew = true
    this.host.askTypes(this as Command<unknown>, unknown, (reason) => {
      this.#unanswered = { reason }
    })
    cache.leave(name)
    return true
  }

  protected override get isUnfinished(): boolean {
    return this.#startsAnew
  }

  #execute(out: OutBuffer, statement: Statement): boolean {
    let mark = out.position
    try {
      this.prepareExecution(statement)
      if (!this.isWanted) return false
      mark = out.position
      this.writeExecution(out, statement)
      this.#preparing = undefined
      this.alone = this.isFragile || this.isSolitary
      return true
    } catch (error) {
      if (!(error instanceof RockpoolError)) throw error
      out.truncate(mark)
      this.failure = error
      return false
    }
  }

  /** An argument turned out not to fit, with nothing run yet: it may fit the type that its parameter has by now. */
  protected misfitted(error: RockpoolError): void {
    if (this.#fit === 'assumed' && error instanceof DataError) {
      this.#misfits(error)
      this.#startsAnew = true
    } else this.failure = error
  }

  override skipped(): void {
    for (const name of this.#closes ?? []) this.host.cache.leave(name)
    super.skipped()
  }

  protected override learn(failure: RockpoolError): void {
    if (!(failure instanceof PostgresError)) return
    if (failure.sqlState === malformedValue && this.#statement?.takesChanging) {
      this.host.types.outdated(false)
      if (this.#fit === 'assumed') this.#fit = 'outdated'
    }
    if (this.#fit !== 'assumed') return
    const isLost = failure.sqlState === '26000'
    if (!isLost && !saysOutdated(failure)) return
    this.#fit = 'outdated'
    this.host.cache.clear()
    if (failure.sqlState === '0A000') this.host.statementsOutdated()
    else this.#isSuspect = !isLost
  }

  /** That it works once it is prepared again shows that it was outdated, as those of others may be. */
  override ready(status: TransactionStatus): Continuation {
    const continuation = super.ready(status)
    if (continuation === 'done' && this.#isSuspect && this.failure === undefined)
      this.host.statementsOutdated()
    return continuation
  }

  protected override mayRepeat(failure: RockpoolError): boolean {
    return this.#fit === 'outdated' || (!this.isFragile && takesCancel(failure, this.host))
  }

  override bindComplete(): void {
    this.#fit = 'seen'
  }

  override parameterDescription(body: BodyReader): void {
    this.#described().parameterTypes = readParameterDescription(body)
  }

  override rowDescription(body: BodyReader): void {
    this.#described().fields = readRowDescription(body)
  }

  override noData(): void {
    this.#described()
  }

  #described() {
    if (this.#preparing === undefined) throw brokenProtocol('a statement was described again')
    return this.#preparing
  }
}

/**
 * Whether a failure before Bind has succeeded can mean that a statement, right when it was prepared, is not any
 * more: its result or its plan changed (0A000), it cannot be analysed as it was (class 42, but for a right that is
 * missing: 42501), a type is gone (XX000).
 */
function saysOutdated({ sqlState }: PostgresError): boolean {
  if (sqlState === '42501') return false
  return sqlState === '0A000' || sqlState.startsWith('42') || sqlState === 'XX000'
}
