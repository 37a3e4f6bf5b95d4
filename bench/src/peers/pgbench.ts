import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Load } from '../measure.ts'
import type { Figures } from '../rounds.ts'
import { node, pgbench } from '../runtimes/program.ts'
import { taskByIdStatement } from '../workloads/task-by-id.ts'
import type { Peer, Place } from './peer.ts'

const run = promisify(execFile)
const clients = 10

/** PostgreSQL's own load, in C, on one thread: its clients are its callers, and it does not pipeline. */
export const pgbenchPrepared: Peer = {
  name: `pgbench -M prepared -c ${clients}`,
  reset: 'none',
  runtime: node,
  needs: pgbench,
  lap,
}

/** `\gset` fails where there is not exactly one row; the division where it is another task's. */
const script = (schema: string) => `\\set id random(1, 1000)
${taskByIdStatement(schema).text.replace('$1', ':id')} \\gset got_
\\set same case when :got_id = :id then 1 else 1 / 0 end
`

async function lap({ dsn, schema }: Place, { callers, seconds }: Load): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'rockpool-bench-'))
  try {
    const file = join(folder, 'task-by-id.sql')
    await writeFile(file, script(schema))
    const path = pgbench.found()!.path
    const numbers = ['-c', Math.min(clients, callers), '-T', Math.ceil(seconds)].map(String)
    const { stdout } = await run(path, ['-n', '-M', 'prepared', ...numbers, '-f', file, dsn]).catch(
      // The error's own message has the whole command, with the password.
      ({ stderr }) => {
        throw new Error(`pgbench: ${stderr}`)
      },
    )
    return readOutput(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** @throws Error where a figure is missing, or a transaction failed. */
export function readOutput(output: string): Figures {
  const figure = (pattern: RegExp) => {
    const found = output.match(pattern)?.[1]
    if (found === undefined) throw new Error(`pgbench: no ${pattern} in its output:\n${output}`)
    return Number(found)
  }
  const failed = figure(/^number of failed transactions: (\d+)/m)
  if (failed > 0) throw new Error(`pgbench: ${failed} transactions failed`)
  return {
    requests: figure(/^number of transactions actually processed: (\d+)/m),
    rate: figure(/^tps = ([\d.]+)/m),
  }
}
