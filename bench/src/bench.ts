import { fileURLToPath } from 'node:url'
import { choose } from './choice.ts'
import { clientTopics } from './client-topics.ts'
import { positiveNumber, positiveWhole, readArguments, runCommand } from './command-line.ts'
import { service } from './http/service.ts'
import { hardware, machine } from './machine.ts'
import { handOut } from './pools/hand-out.ts'
import { waiters } from './pools/waiters.ts'
import { asText } from './report/text.ts'
import { writeReport } from './report/write.ts'
import { openServer } from './server.ts'
import type { Finding, Topic } from './topic.ts'

const topics: readonly Topic[] = [...clientTopics, handOut, waiters, service]

await runCommand(async (signal) => {
  const { dsn, flags } = readArguments(process.argv.slice(2), process.env, {
    seconds: '1',
    rounds: '5',
    only: '',
    out: '',
  })
  const seconds = positiveNumber('seconds', flags.seconds)
  const rounds = positiveWhole('rounds', flags.rounds)
  const chosen = choose(topics, flags.only)

  const before = hardware()
  const server = await openServer(dsn)
  const findings: Finding[] = []
  try {
    console.log(`${server.name}; ${machine()}`)
    console.log(`medians of ${rounds} rounds of ${seconds} s, all in turn`)
    for (const { topic, takes } of chosen) {
      const tell = (line: string) => console.error(`… ${topic.name}: ${line}`)
      const finding = await topic.measure({ dsn: server.dsn, rounds, seconds, signal, takes, tell })
      console.log(`\n${asText(finding)}`)
      findings.push(finding)
    }
  } finally {
    await server.stop()
  }

  const targets = findings.flatMap((finding) => finding.targets)
  console.log(`\n${targets.filter(({ met }) => met).length} of ${targets.length} targets are met`)

  const folder = flags.out || (flags.only === '' ? docs() : undefined)
  if (folder === undefined) return
  const page = await writeReport(folder, findings, {
    date: new Date().toISOString().slice(0, 10),
    rounds,
    seconds,
    machine: before,
    server: server.name,
    versions: Object.assign(
      { 'Node.js': process.versions.node },
      ...findings.map(({ versions }) => versions),
    ),
  })
  console.log(`written: ${page} and its plots`)
})

function docs(): string {
  return fileURLToPath(new URL('docs', import.meta.resolve('rockpool/package.json')))
}
