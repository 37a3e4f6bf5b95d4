import { positiveNumber, positiveWhole, readArguments, runCommand, UsageError } from './command-line.ts'
import { machine } from './machine.ts'
import type { Peer } from './peers/peer.ts'
import { nodePostgres } from './peers/pg.ts'
import { rockpool } from './peers/rockpool.ts'
import { race, renderRace } from './race.ts'
import { openServer } from './server.ts'
import { TaskById } from './workloads/task-by-id.ts'

const peers = [...nodePostgres, ...rockpool]
const callers = [1, 10, 200]
const connections = 10

await runCommand(async (signal) => {
  const { dsn, flags } = readArguments(process.argv.slice(2), process.env, {
    seconds: '1',
    rounds: '5',
    only: '',
  })
  const seconds = positiveNumber('seconds', flags.seconds)
  const rounds = positiveWhole('rounds', flags.rounds)
  const chosen = choose(flags.only)

  const server = await openServer(dsn)
  try {
    console.log(`${server.name}; ${machine()}`)
    const workload = await TaskById.create(server.dsn)
    try {
      console.log(`${workload.description}; ${connections} connections each`)
      console.log(`medians of ${rounds} rounds of ${seconds} s, all in turn\n`)
      const laps = await race(server.dsn, chosen, workload, { callers, connections, seconds, rounds, signal })
      console.log(renderRace(chosen, laps))
      console.log(`\n${workload.checked.toLocaleString('en-US')} answers checked, none wrong.`)
    } finally {
      await workload.drop()
    }
  } finally {
    await server.stop()
  }
})

/** @throws UsageError where no peer has `part` in its name. */
function choose(part: string): Peer[] {
  const chosen = peers.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()))
  if (chosen.length > 0) return chosen
  throw new UsageError(
    `--only: none has ${JSON.stringify(part)} in its name; there are: ${peers.map(({ name }) => name).join('; ')}`,
  )
}
