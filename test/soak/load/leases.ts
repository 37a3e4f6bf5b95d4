import { type Connection, PostgresError } from '../../../src/index.ts'
import { leave, probe, randomDeed, randomLeaving } from '../../pool/support/tenants.ts'
import { serverStatementTimeout } from '../schema.ts'
import { violate } from './link.ts'
import type { Operation, Stage } from './operation.ts'

type State = Record<string, unknown>

/** What the probe shows of a session that nobody has touched. */
const clean: State = {
  setting: '4MB',
  tenant: null,
  path: '"$user", public',
  timeout: '0',
  role: 'soak',
  session: 'soak',
  temporary: null,
  prepared: 0,
  lock: 0,
  channel: 0,
  cursor: 0,
}

/** What of another's state there is to see (I6). */
function traces(state: State): string[] {
  return Object.entries(clean)
    .filter(([kind, value]) => state[kind] !== value)
    .filter(([kind]) => !(kind === 'timeout' && state.timeout === serverStatementTimeout))
    .map(([kind]) => `${kind} = ${JSON.stringify(state[kind])}`)
}

async function look(connection: Connection, { random, impatience }: Stage): Promise<void> {
  if (connection.isInTransaction) violate('I6', 'a connection came inside a transaction')
  if (random.chance(20)) {
    const answer = await connection.fetchVal('select lastval()').catch((error: unknown) => error)
    if (!(answer instanceof Error))
      violate('I6', `a connection came with the last value ${answer} of a sequence`)
    else if (!(answer instanceof PostgresError && answer.sqlState === '55000')) throw answer
  }
  const seen = traces((await connection.fetchRow<State>(probe, [], impatience.options))!)
  if (seen.length > 0) violate('I6', `a connection came with ${seen.join(', ')}`)
}

/** Looks whether the session is as new, then does to it whatever there is to do, and leaves it so. */
async function tenancy(stage: Stage): Promise<void> {
  const { pool, random, resetsAll } = stage
  const connection = await pool.acquire()
  const leaving = randomLeaving(random)
  try {
    await alone(stage, connection, 'a tenant', async () => {
      await look(connection, stage)
      for (let deeds = random.below(4); deeds > 0; deeds--) {
        const deed = randomDeed(random, !resetsAll)
        if (deed.hidden && !resetsAll) continue
        await connection.execute(deed.sql).catch(() => {})
      }
    })
  } finally {
    // To be killed is the fault maker's to arrange.
    await leave(connection, leaving === 'killed' ? 'in order' : leaving, async () => {})
  }
}

/** I3: nobody else has the connection meanwhile. */
async function alone(
  { owners }: Stage,
  connection: Connection,
  who: string,
  work: () => Promise<void>,
): Promise<void> {
  const { processId } = connection
  const other = owners.get(processId)
  if (other !== undefined)
    violate('I3', `${who} and ${other} have the connection of server process ${processId}`)
  owners.set(processId, who)
  try {
    await work()
  } finally {
    owners.delete(processId)
  }
}

/** Several statements, one after the other and at once, on one session. */
async function conversation(stage: Stage): Promise<void> {
  const { pool, random, impatience } = stage
  await pool.use(
    (connection) =>
      alone(stage, connection, 'a conversation', async () => {
        const pid = await connection.fetchVal<number>('select pg_backend_pid()', [], impatience.options)
        const numbers = Array.from({ length: 1 + random.below(8) }, () => random.below(1_000))
        const answers = await Promise.all(
          numbers.map((n) => connection.fetchRow('select $1::int as n, pg_backend_pid() as pid', [n])),
        )
        const wrong = answers.findIndex((row, i) => row?.n !== numbers[i] || row?.pid !== pid)
        if (wrong >= 0)
          violate('answers', `in a conversation: ${JSON.stringify(answers[wrong])} for ${numbers[wrong]}`)
      }),
    impatience.options,
  )
}

/** The user closes the connection for good. */
async function discard({ pool, random }: Stage): Promise<void> {
  const connection = await pool.acquire()
  if (random.chance(50)) await connection.close()
  else await connection.terminate()
  await connection.release()
}

/** What takes a connection to itself. */
export const leases: readonly Operation[] = [
  { name: 'lease with session state', weight: 10, run: tenancy },
  { name: 'lease with several statements', weight: 8, run: conversation },
  { name: 'lease closed by its user', weight: 1, run: discard },
]
