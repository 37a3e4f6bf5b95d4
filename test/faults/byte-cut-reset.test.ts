import { afterAll, beforeAll, test } from 'vitest'
import { ownServer, type RunningServer } from '../support/servers.ts'
import { everyByte, Runs } from './byte-cut.ts'

let own: RunningServer

// So many sessions at once would leave too little room for the tests beside these.
beforeAll(async () => {
  own = await ownServer()
})
afterAll(() => own.stop())

test.for(['connection', 'pool'] as const)(
  'a %s that is reset at any byte of connect, BEGIN, INSERT and COMMIT tells what became of the write',
  { timeout: 120_000 },
  async (client) => {
    const runs = await Runs.on(own.server, 'trust')
    await runs.each(client, everyByte('reset', runs.lengths.commit))
  },
)
