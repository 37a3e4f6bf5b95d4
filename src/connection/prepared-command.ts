import { PostgresError, type RockpoolError } from '../errors.ts'
import type { TypeRegistry } from '../wire/codecs/index.ts'
import { brokenProtocol } from '../wire/frame-reader.ts'
import { writeDescribeStatement, writeParse, writeSync } from '../wire/frontend.ts'
import {
  type BodyReader,
  type FieldDescription,
  readParameterDescription,
  readRowDescription,
} from '../wire/messages.ts'
import type { OutBuffer } from '../wire/out-buffer.ts'
import { Command, type CommandHost, takesCancel } from './command.ts'
import { Statement } from './statement.ts'
import type { StatementCache } from './statement-cache.ts'

/** What prepared commands of one connection share. */
export interface PreparedCommandHost extends CommandHost {
  readonly cache: StatementCache
  readonly types: TypeRegistry
}

/** The SQLSTATEs by which a server says that a prepared statement, though it was right once, does not fit any more. */
const staleStatement = new Set(['0A000', '26000', '42883', '42P18'])

/** CALL and DO may commit by themselves: what they did before a cancel is not rolled back. */
const mayCommit = /^\s*(call|do)\b/i

/**
 * A command that runs a statement through the extended protocol ("Extended Query", protocol-flow): prepared,
 * described, and alone in the pipeline the first time, then bound and executed. A statement that went stale
 * before anything was bound to it is prepared again, once.
 */
export abstract class PreparedCommand<T> extends Command<T> {
  protected readonly sql: string
  protected override readonly host: PreparedCommandHost
  protected readonly copyNeedsSync = true
  #phase: 'prepare' | 'execute' = 'execute'
  #statement: Statement | undefined
  #name = ''
  #parameterTypes: number[] = []
  #fields: FieldDescription[] | undefined
  #wasCached = false
  #bound = false

  constructor(host: PreparedCommandHost, sql: string) {
    super(host)
    this.host = host
    this.sql = sql
  }

  /** Makes the arguments ready for `writeExecution`. May run the user's code. */
  protected abstract prepareExecution(statement: Statement): void
  /** Writes Bind and Execute, once or more. */
  protected abstract writeExecution(out: OutBuffer, statement: Statement): void
  protected abstract executed(): { value: T }

  protected get isExecuting(): boolean {
    return this.#phase === 'execute'
  }

  override prepare(): void {
    if (this.#statement === undefined) {
      this.#statement = this.host.cache.get(this.sql)
      this.#wasCached = this.#statement !== undefined
    }
    if (this.#statement !== undefined) this.prepareExecution(this.#statement)
  }

  protected override compose(out: OutBuffer): void {
    const { cache } = this.host
    cache.writeLeaving(out)
    if (this.#statement === undefined) {
      this.#phase = 'prepare'
      this.alone = true
      this.#name = cache.nameFor(this.sql)
      writeParse(out, this.#name, this.sql)
      writeDescribeStatement(out, this.#name)
    } else {
      this.#phase = 'execute'
      this.#bound = false
      this.writeExecution(out, this.#statement)
    }
    writeSync(out)
    cache.haveLeft()
  }

  protected override complete(): { value: T } | 'again' {
    if (this.#phase === 'execute') return this.executed()
    if (this.#fields === undefined) throw brokenProtocol('a statement was not described')
    this.#statement = new Statement(this.sql, this.#name, this.#parameterTypes, this.#fields, this.host.types)
    this.host.cache.add(this.#statement)
    return 'again'
  }

  protected override mayRepeat(failure: RockpoolError): boolean {
    if (isStale(failure) && this.#phase === 'execute' && this.#wasCached && !this.#bound) {
      this.host.cache.forget(this.#statement!)
      this.#statement = undefined
      this.#wasCached = false
      return true
    }
    return !mayCommit.test(this.sql) && takesCancel(failure, this.host)
  }

  override bindComplete(): void {
    this.#bound = true
  }

  override parameterDescription(body: BodyReader): void {
    this.#parameterTypes = readParameterDescription(body)
  }

  override rowDescription(body: BodyReader): void {
    if (this.#phase !== 'prepare') throw brokenProtocol('rows were described again')
    this.#fields = readRowDescription(body)
  }

  override noData(): void {
    this.#fields = []
  }
}

function isStale(failure: RockpoolError): boolean {
  return failure instanceof PostgresError && staleStatement.has(failure.sqlState)
}
