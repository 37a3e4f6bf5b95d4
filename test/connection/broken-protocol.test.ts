import { describe, expect, it } from 'vitest'
import { type Connection, ConnectionLostError, connect } from '../../src/index.ts'
import { until } from '../support/until.ts'
import {
  cstring,
  int16,
  int32,
  message,
  oneInt4,
  parameterStatus,
  readyForQuery,
  report,
  welcome,
} from '../wire/support/backend.ts'
import { type Peer, scriptedServer } from '../wire/support/scripted-server.ts'

const parseComplete = message('1')
const bindComplete = message('2')
const noParameters = message('t', int16(0))
const described = Buffer.concat([parseComplete, noParameters, oneInt4])
const row = message('D', int16(1), int32(4), int32(7))
const selected = message('C', cstring('SELECT 1'))
const answered = Buffer.concat([bindComplete, row, selected, readyForQuery()])

/** A connection to a server that answers what the test says. */
async function connected(): Promise<{ connection: Connection; peer: Peer }> {
  const server = await scriptedServer(async (peer) => {
    await peer.startup()
    peer.send(welcome)
  })
  const { host, port } = server.address
  const connection = await connect(undefined, { host, port, user: 'app', ssl: false })
  return { connection, peer: await server.peer(0) }
}

/** Runs a statement up to its execution, which the server then answers with `answer`. */
async function answeredWith(answer: Buffer): Promise<{ connection: Connection; failure: Promise<unknown> }> {
  const { connection, peer } = await connected()
  const failure = connection.fetch('select 7 as n')
  failure.catch(() => {})
  for (let i = 0; i < 3; i++) await peer.message()
  peer.send(described)
  for (let i = 0; i < 3; i++) await peer.message()
  peer.send(answer)
  return { connection, failure }
}

describe('a server that keeps the protocol', () => {
  it('is understood, whether its answer comes whole or byte by byte', async () => {
    const { failure } = await answeredWith(answered)
    expect(await failure).toEqual([{ n: 7 }])
    const { connection, peer } = await connected()
    const rows = connection.fetch('select 7 as n')
    for (let i = 0; i < 3; i++) await peer.message()
    for (const byte of described) peer.send(Buffer.of(byte))
    for (let i = 0; i < 3; i++) await peer.message()
    for (const byte of answered) peer.send(Buffer.of(byte))
    expect(await rows).toEqual([{ n: 7 }])
    await connection.terminate()
  })
})

describe('a message that breaks the protocol closes that connection with an error:', () => {
  it.for<[what: string, answer: Buffer]>([
    ['a row that is too short', Buffer.concat([bindComplete, message('D', int16(1), int32(4))])],
    ['a row with a negative length', Buffer.concat([bindComplete, message('D', int16(1), int32(-7))])],
    [
      'a row with more columns than described',
      Buffer.concat([bindComplete, message('D', int16(2), int32(4), int32(7), int32(-1))]),
    ],
    [
      'a row whose value has the wrong size',
      Buffer.concat([bindComplete, message('D', int16(1), int32(3), Buffer.from('abc'))]),
    ],
    [
      'a row with bytes left over',
      Buffer.concat([bindComplete, message('D', int16(1), int32(4), int32(7), int32(0))]),
    ],
    ['a message of length zero', Buffer.from([0x44, 0, 0, 0, 0])],
    ['a message of a negative length', Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff])],
    ['a message longer than any', Buffer.from([0x44, 0x7f, 0xff, 0xff, 0xff])],
    ['a message of an unknown type', message('?')],
    ['a description that was not asked for', Buffer.concat([bindComplete, oneInt4])],
    ['a tag without an end', Buffer.concat([bindComplete, message('C', Buffer.from('SELECT'))])],
    ['a ReadyForQuery without a status', Buffer.concat([bindComplete, message('Z')])],
    ['a ReadyForQuery with an unknown status', Buffer.concat([bindComplete, readyForQuery('X')])],
    ['a suspended portal without a limit', Buffer.concat([bindComplete, message('s')])],
    ['a ReadyForQuery before the statement ended', Buffer.concat([bindComplete, row, readyForQuery()])],
    ['COPY data out of the blue', message('d', Buffer.from('1\n'))],
    ['an error report without an end', message('E', Buffer.from('SERROR'))],
    ['a server encoding that is not UTF-8', parameterStatus('client_encoding', 'LATIN1')],
    ['the end of the connection', report('E', '57P01', 'terminating connection')],
  ])('%s', async ([, answer]) => {
    const { connection, failure } = await answeredWith(answer)
    await expect(failure).rejects.toThrow(ConnectionLostError)
    await expect(failure).rejects.toMatchObject({ outcome: 'unknown' })
    expect(connection.isClosed).toBe(true)
    await expect(connection.fetch('select 1')).rejects.toMatchObject({ outcome: 'not-sent' })
  })

  it.for<[what: string, unsolicited: Buffer]>([
    ['a row', row],
    ['a ReadyForQuery', readyForQuery()],
    ['a completion', selected],
    ['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a fatal error', report('E', '57P01', 'terminating connection')],
  ])('%s that comes though nothing was asked', async ([, unsolicited]) => {
    const { connection, peer } = await connected()
    peer.send(unsolicited)
    await until('it is closed', () => connection.isClosed)
    await expect(connection.fetch('select 1')).rejects.toThrow(ConnectionLostError)
  })

  it('the server hangs up without a word', async () => {
    const { connection, peer } = await connected()
    const failure = connection.fetch('select 1')
    failure.catch(() => {})
    peer.socket.destroy()
    await expect(failure).rejects.toThrow(ConnectionLostError)
  })

  it('a server that is ready before it has described the statement', async () => {
    const { connection, peer } = await connected()
    const failure = connection.fetch('select 7 as n')
    for (let i = 0; i < 3; i++) await peer.message()
    peer.send(parseComplete, noParameters, readyForQuery())
    await expect(failure).rejects.toThrow(ConnectionLostError)
    expect(connection.isClosed).toBe(true)
  })

  it('a doubled ReadyForQuery after an answer', async () => {
    const { connection, failure } = await answeredWith(Buffer.concat([answered, readyForQuery()]))
    expect(await failure).toEqual([{ n: 7 }])
    await until('it is closed', () => connection.isClosed)
  })
})
