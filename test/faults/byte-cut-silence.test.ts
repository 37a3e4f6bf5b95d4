import { afterAll, beforeAll, test } from 'vitest'
import { ownServer, type RunningServer } from '../support/servers.ts'
import { type Client, everyByte, type Kind, Runs } from './byte-cut.ts'

let own: RunningServer

// So many sessions at once would leave too little room for the tests beside these.
beforeAll(async () => {
  own = await ownServer()
})
afterAll(() => own.stop())

const cases: [client: Client, kind: Kind][] = [
  ['connection', 'silent one way'],
  ['connection', 'silent both ways'],
  ['pool', 'silent one way'],
]

test.for(cases)(
  'a %s that is %s from any byte of connect, BEGIN, INSERT and COMMIT on tells in time what became of the write',
  { timeout: 120_000 },
  async ([client, kind]) => {
    const runs = await Runs.on(own.server, 'trust')
    await runs.each(client, everyByte(kind, runs.lengths.commit))
  },
)
