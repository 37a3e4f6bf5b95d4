import { Readable } from 'node:stream'
import { type Pool, PostgresError, RockpoolError } from '../../../src/index.ts'
import type { Random } from '../../pool/support/tenants.ts'
import type { Fate } from '../messages.ts'
import { accounts } from '../schema.ts'
import { describe } from './judge.ts'
import type { Operation, Stage } from './operation.ts'

/** The caller changes its mind within its transaction. */
class Regret extends Error {}

/** What a caller knows of its write from the error of the call that was to make it last. */
function fateOf(error: unknown): Fate {
  const outcome = error instanceof RockpoolError ? error.outcome : undefined
  switch (outcome) {
    case 'failed':
    case 'not-sent':
      return 'failed'
    case 'executed':
      return 'acknowledged'
    default:
      return 'unknown'
  }
}

interface Transfer {
  id: number
  debtor: number
  creditor: number
  amount: number
}

function newTransfer({ random, newId }: Stage): Transfer {
  const debtor = 1 + random.below(accounts)
  const creditor = 1 + ((debtor + random.below(accounts - 1)) % accounts)
  return { id: newId(), debtor, creditor, amount: 1 + random.below(100) }
}

const isolations = ['read committed', 'read committed', 'repeatable read', 'serializable'] as const

/** In a transaction: what fails before its COMMIT is certain not to be there. */
async function transfer(stage: Stage): Promise<void> {
  const { pool, random, settle } = stage
  const given = newTransfer(stage)
  const regrets = random.chance(5)
  let isDone = false
  try {
    await pool.transaction(
      async (tx) => {
        isDone = false
        const { options } = stage.impatience
        await tx.execute('insert into transfers values ($1, $2, $3, $4)', Object.values(given), options)
        if (random.chance(10))
          await tx.transaction(() => tx.fetchVal('select 1 / $1::int', [0])).catch(provoked)
        const moves = [
          [given.debtor, -given.amount],
          [given.creditor, given.amount],
        ]
        // Sorted but for a few, which others may meet in a deadlock.
        if (random.chance(95)) moves.sort(([a], [b]) => a! - b!)
        for (const move of moves) {
          await tx.execute('update accounts set balance = balance + $2 where id = $1', move, options)
        }
        if (regrets) throw new Regret()
        isDone = true
      },
      { retries: 5, isolation: random.pick(isolations) },
    )
    settle(given.id, 'acknowledged')
  } catch (error) {
    settle(given.id, isDone ? fateOf(error) : 'failed', describe(error))
    if (!(error instanceof Regret)) throw error
  }
}

function provoked(error: unknown): void {
  if (!(error instanceof PostgresError && error.condition === 'division_by_zero')) throw error
}

const transferText = `with noted as (insert into transfers values ($1, $2, $3, $4)),
  paid as (update accounts set balance = balance - $4 where id = $2)
  update accounts set balance = balance + $4 where id = $3`

/** A write by one statement on the pool. */
async function oneShotTransfer(stage: Stage): Promise<void> {
  const { pool, settle, impatience } = stage
  const given = newTransfer(stage)
  await settling(stage, given.id, () => pool.execute(transferText, Object.values(given), impatience.options))
  settle(given.id, 'acknowledged')
}

/** Settles what fails; an error that was provoked goes no further. */
async function settling(
  { settle }: Stage,
  id: number,
  write: () => Promise<unknown>,
  isProvoked: (error: unknown) => boolean = () => false,
): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    settle(id, fateOf(error), describe(error))
    if (!isProvoked(error)) throw error
    return false
  }
}

interface Batch {
  id: number
  rows: [id: number, size: number, n: number, label: string][]
  /** One of its rows breaks a constraint. */
  isBad: boolean
}

function newBatch({ random, newId }: Stage): Batch {
  const id = newId()
  const size = 1 + random.below(20)
  const isBad = random.chance(10)
  const bad = isBad ? random.below(size) : -1
  const rows = Array.from({ length: size }, (_, n): Batch['rows'][number] => [
    id,
    size,
    n === bad ? -1 : n,
    'x'.repeat(random.below(200)),
  ])
  return { id, rows, isBad }
}

/** All rows of a batch, or none. */
async function writeBatch(
  stage: Stage,
  write: (pool: Pool, batch: Batch) => Promise<unknown>,
): Promise<void> {
  const batch = newBatch(stage)
  const isProvoked = (error: unknown) =>
    batch.isBad && error instanceof PostgresError && error.condition === 'check_violation'
  if (await settling(stage, batch.id, () => write(stage.pool, batch), isProvoked)) {
    stage.settle(batch.id, 'acknowledged')
  }
}

const batchInsert = 'insert into batches values ($1, $2, $3, $4)'

const insertMany: Operation['run'] = (stage) =>
  writeBatch(stage, (pool, { rows }) => pool.executeMany(batchInsert, rows, stage.impatience.options))

async function* dripping<T>(rows: readonly T[], random: Random): AsyncGenerator<T> {
  for (const row of rows) {
    if (random.chance(20)) await new Promise((resolve) => setImmediate(resolve))
    yield row
  }
}

const copyRecords: Operation['run'] = (stage) =>
  writeBatch(stage, (pool, { rows }) =>
    pool.use((connection) => {
      const records = dripping(rows, stage.random)
      return connection.copyRecordsToTable('batches', { records, ...stage.impatience.options })
    }),
  )

const copyText: Operation['run'] = (stage) =>
  writeBatch(stage, (pool, { rows }) =>
    pool.use((connection) => {
      const source = Readable.from(rows.map((row) => `${row.join('\t')}\n`))
      return connection.copyToTable('batches', { source, ...stage.impatience.options })
    }),
  )

/** What the ledger is kept of: each write there once, if it was acknowledged. */
export const writes: readonly Operation[] = [
  { name: 'transfer in a transaction', weight: 12, run: transfer },
  { name: 'transfer as a one-shot', weight: 8, run: oneShotTransfer },
  { name: 'executeMany', weight: 3, run: insertMany },
  { name: 'COPY in, records', weight: 3, run: copyRecords },
  { name: 'COPY in, text', weight: 2, run: copyText },
]
