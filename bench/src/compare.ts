import { positiveNumber, positiveWhole, readArguments, runCommand } from './command-line.ts'
import { compare, renderComparison } from './comparison.ts'
import { machine } from './machine.ts'
import { openServer } from './server.ts'

const callers = [1, 20, 100]

await runCommand(async (signal) => {
  const { dsn, flags } = readArguments(process.argv.slice(2), process.env, { seconds: '2', rounds: '5' })
  const seconds = positiveNumber('seconds', flags.seconds)
  const rounds = positiveWhole('rounds', flags.rounds)

  const server = await openServer(dsn)
  try {
    console.log(`${server.name}; ${machine()}`)
    const report = await compare(server.dsn, { callers, seconds, rounds, signal })
    console.log(`${report.workload}; medians of ${rounds} rounds of ${seconds} s, the two sides in turn\n`)
    console.log(renderComparison(report))
    const gains = report.comparisons.map(({ gain, callers }) => `${gain.median.toFixed(1)}× at ${callers}`)
    console.log(`\nThe seed's claim: 5–10× faster with the pool. Measured: ${gains.join(', ')} callers.`)
    console.log(`${report.checked.toLocaleString('en-US')} answers checked (id and title), none wrong.`)
    console.log(
      `Without the pool, no more than ${report.connectLimit} connections at once: what max_connections leaves.`,
    )
  } finally {
    await server.stop()
  }
})
