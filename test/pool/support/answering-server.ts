import {
  cstring,
  int16,
  int32,
  message,
  oneInt4,
  readyForQuery,
  welcome,
} from '../../wire/support/backend.ts'
import { type Peer, type ScriptedServer, scriptedServer } from '../../wire/support/scripted-server.ts'

/** One message of an answer: to the reset of a session, to the statement behind it, or to the Sync of both. */
export interface Part {
  of: 'reset' | 'follower' | 'end'
  bytes: Buffer
}

/** What the server is asked in one go, up to a Sync, a Flush or a Query. */
export interface Asked {
  /** The connection's number, from 0. */
  connection: number
  /** Whether it is, or begins with, a reset. */
  hasReset: boolean
  /** Whether a statement stands behind the reset. */
  hasFollower: boolean
  /** What a server that keeps the protocol answers. */
  answer: Part[]
}

/** What is said in its place: bytes, and then, where it is so, the end of the connection, by FIN or by RST. */
export interface Reply {
  bytes: Buffer[]
  hangsUp?: boolean
  resets?: boolean
  /** It is said no sooner. */
  until?: Promise<void>
}

const tag = (text: string) => message('C', cstring(text))
const row = (value: number) => message('D', int16(1), int32(4), int32(value))
const column = oneInt4
/** "CancelRequest" (protocol-message-formats). */
const cancelRequest = 80877102
const resetName = /^rockpool_reset_/

/**
 * A server that takes resets, and to any other statement answers one row, of the value that `valueIn` gives for the connection. `reply` may say
 * something else.
 */
export function answeringServer(
  valueIn: (connection: number) => number,
  reply: (asked: Asked) => Reply | undefined,
): Promise<ScriptedServer> {
  let connections = 0
  return scriptedServer(async (peer) => {
    const isCancel = (await peer.packet()).readInt32BE() === cancelRequest
    if (isCancel) return peer.socket.end()
    const connection = connections++
    peer.send(welcome)
    for (;;) {
      const asked = await next(peer, connection, valueIn(connection))
      if (asked === undefined) break
      const said = reply(asked) ?? { bytes: asked.answer.map((part) => part.bytes) }
      await said.until
      peer.send(...said.bytes)
      if (said.resets) peer.socket.resetAndDestroy()
      if (said.hangsUp) break
    }
    peer.socket.end()
  })
}

/** Reads what is asked in one go; `undefined`: goodbye. */
async function next(peer: Peer, connection: number, value: number): Promise<Asked | undefined> {
  const answer: Part[] = []
  let of: Part['of'] = 'follower'
  let runsDeallocation = false
  const say = (...messages: Buffer[]) => void answer.push(...messages.map((bytes) => ({ of, bytes })))
  const end = () => ({
    connection,
    hasReset: answer.some((part) => part.of === 'reset'),
    hasFollower: answer.some((part) => part.of === 'follower'),
    answer,
  })
  for (;;) {
    const type = (await peer.read(1)).toString()
    const body = await peer.packet()
    const texts = body.toString().split('\0')
    switch (type) {
      case 'C':
        of = resetName.test(texts[0]!.slice(1)) ? 'reset' : 'follower'
        say(message('3'))
        break
      case 'P':
        runsDeallocation = texts[1]!.startsWith('DO')
        of = resetName.test(texts[0]!) || runsDeallocation ? 'reset' : 'follower'
        say(message('1'))
        break
      case 'D':
        say(message('t', int16(0)), column)
        break
      case 'B':
        of = resetName.test(texts[1]!) || runsDeallocation ? 'reset' : 'follower'
        say(message('2'))
        break
      case 'E':
        if (of === 'reset') say(tag('RESET'))
        else say(row(value), tag('SELECT 1'))
        runsDeallocation = false
        break
      case 'S':
        of = 'end'
        say(readyForQuery())
        return end()
      case 'H':
        return end()
      case 'Q':
        say(tag('SELECT 0'), readyForQuery())
        return end()
      default:
        return undefined
    }
  }
}
