import { afterAll, beforeAll, test } from 'vitest'
import { ownServer, type RunningServer } from '../support/servers.ts'
import { everyByte, Runs } from './byte-cut.ts'

let own: RunningServer

// So many sessions at once would leave too little room for the tests beside these.
beforeAll(async () => {
  own = await ownServer()
})
afterAll(() => own.stop())

test.for(['reset', 'silent one way'] as const)(
  'a login by SCRAM that is %s from any byte on writes nothing, and says so in time',
  { timeout: 120_000 },
  async (kind) => {
    const runs = await Runs.on(own.server, 'scram')
    await runs.each('connection', everyByte(kind, runs.lengths.login))
  },
)
