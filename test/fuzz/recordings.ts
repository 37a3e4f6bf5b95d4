import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkloadName } from './workloads.ts'

/** How a recorded client logs in. */
export interface Login {
  user: string
  database: string
  /** Whether the server is asked, behind its start-up, if it takes writes. */
  asksForWrites: boolean
}

/** What the server said in one go: `bytes`, once the client had sent `after` bytes in all. */
export interface Turn {
  after: number
  bytes: Buffer
}

/** One session as a real server led it. */
export interface Recording {
  name: string
  login: Login
  /** `undefined`: it was a login and nothing else. */
  workload: WorkloadName | undefined
  turns: Turn[]
}

type Stored = Omit<Recording, 'turns'> & { turns: [after: number, base64: string][] }

/** Every role's password when the recordings were made, and when they are played: no error may show it. */
export const canary = 'canary-5ea1-rockpool'

/** One session a line. Programs and tests run in the package's folder. */
const file = join(process.cwd(), 'test/fuzz/recordings.ndjson')

export function loadRecordings(): Recording[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const { turns, ...rest } = JSON.parse(line) as Stored
    return { ...rest, turns: turns.map(([after, text]) => ({ after, bytes: Buffer.from(text, 'base64') })) }
  })
}

export function saveRecordings(recordings: readonly Recording[]): void {
  const lines = recordings.map(({ turns, ...rest }) =>
    JSON.stringify({ ...rest, turns: turns.map(({ after, bytes }) => [after, bytes.toString('base64')]) }),
  )
  writeFileSync(file, `${lines.join('\n')}\n`)
}
