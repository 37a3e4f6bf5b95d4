import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import { contests } from '../contests/contests.ts'
import type { Answer, Question } from './contestant.ts'

/** A peer's process on Node or Bun: answers each line of standard input with a line, until there are no more. */
const [contestName, peerName] = process.argv.slice(2)
const peer = contests
  .find(({ name }) => name === contestName)
  ?.peers.find(({ name, lap }) => name === peerName && lap !== undefined)
if (peer?.lap === undefined) throw new Error(`no peer ${peerName} in ${contestName}`)

const never = new AbortController().signal
for await (const line of createInterface({ input: process.stdin })) {
  const { place, load }: Question = JSON.parse(line)
  const answer = await peer.lap(place, { ...load, signal: never }).then(
    (figures): Answer => ({ figures }),
    (error: unknown): Answer => ({ failure: inspect(error) }),
  )
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
