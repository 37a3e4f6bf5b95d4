import type { ProtocolMessage } from '../../../src/testing/index.ts'
import { brokenBehindAnswer, brokenByAnswer } from './expectations.ts'
import { type Fault, Senseless } from './fault.ts'

/** The connections there are get broken messages from now on, and what waited is answered by one. */
function broken(
  what: string,
  cells: Fault['cells'],
  rewrite: (message: ProtocolMessage) => readonly (ProtocolMessage | Buffer)[],
): Fault {
  return {
    name: `the server ${what}`,
    notice: 'when used',
    hits: 'all',
    behindProxy: true,
    async strike(scenes) {
      for (const { proxy } of scenes) {
        for (const { toClient } of proxy!.connections) toClient.rewriteMessages(rewrite)
      }
      await Promise.all(scenes.map((scene) => scene.letGo()))
    },
    end(scenes) {
      for (const { proxy } of scenes) proxy!.heal()
    },
    cells: { ...cells, closing: new Senseless('a goodbye has no answer that could be broken') },
  }
}

const header = (type: string, length: number[]) => Buffer.from([type.charCodeAt(0), ...length])

export const zeroLength: Fault = broken('sends a message of length zero', brokenByAnswer(), ({ type }) => [
  header(type, [0, 0, 0, 0]),
])

export const endless: Fault = broken('sends a message longer than any', brokenByAnswer(), ({ type }) => [
  header(type, [0x7f, 0xff, 0xff, 0xff]),
])

export const unknownMessage: Fault = broken(
  'sends a message that nobody knows',
  brokenByAnswer(),
  (message) => [Buffer.from('?\0\0\0\x04', 'latin1'), message],
)

export const doubled: Fault = broken('is ready twice', brokenBehindAnswer(), (message) =>
  message.type === 'Z' ? [Buffer.concat([message.bytes, message.bytes])] : [message],
)
