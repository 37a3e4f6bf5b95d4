import { describe, expect, it, onTestFinished } from 'vitest'
import { createPool } from '../../src/index.ts'
import { endOf } from '../faults/support/end-of.ts'
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
} from '../wire/support/backend.ts'
import { type Asked, answeringServer, type Part, type Reply } from './support/answering-server.ts'

const prepared = 'select n'
const error = (sqlState: string) => {
  const fields = Object.entries({ S: 'ERROR', V: 'ERROR', C: sqlState, M: 'it failed' })
  return message('E', ...fields.map(([letter, value]) => cstring(letter + value)), Buffer.of(0))
}
const notice = report('N', '01000', 'by the way')
const fatal = report('E', '57P01', 'terminating connection')
/** BEGIN, seven parts, locks with the look for statements, COMMIT: each is bound and completed. */
const lengthOfReset = 20

interface Met {
  /** The value that the statement behind the reset gave, or how it failed. */
  told: string
  /** Why connections were closed. */
  closed: string[]
  /** How often the server was asked for a reset. */
  times: number
  notices: string[]
}

/**
 * What becomes of a statement that is written behind a reset to which the first connection's server replies with what
 * `reply` makes of its parts; the statement's row is 7 there, 8 on every later connection.
 */
async function meet(reply: Replying, sql = prepared): Promise<Met> {
  const play = await staged(reply)
  const { pool, held } = play
  const waiting = pool.acquire()
  await held.release()
  const next = await waiting
  const notices: string[] = []
  next.addLogListener(({ message }) => void notices.push(message))
  const told = await toldBy(next.fetchVal(sql))
  await next.release()
  return { told, notices, ...(await play.end()) }
}

/** The same where the reset was sent alone, and the server answers it behind the call. */
async function meetAlone(reply: Replying): Promise<Pick<Met, 'told' | 'closed'>> {
  let answer = () => {}
  const until = new Promise<void>((resolve) => {
    answer = resolve
  })
  const play = await staged((parts, asked, times) => {
    const said = reply(parts, asked, times) ?? { bytes: bytesOf(parts) }
    return times === 1 ? { ...said, until } : said
  }, true)
  await play.held.release()
  await play.asked
  const next = await play.pool.acquire()
  const told = toldBy(next.fetchVal(prepared))
  answer()
  await told
  await next.release()
  return { told: await told, ...(await play.end()) }
}

/** The same with three statements by themselves, which would share the connection. */
async function meetShared(reply: Replying): Promise<{ told: string[]; closed: string[] }> {
  const play = await staged(reply)
  const shots = [1, 2, 3].map(() => toldBy(play.pool.fetchVal(prepared)))
  await play.held.release()
  const told = await Promise.all(shots)
  return { told, ...(await play.end()) }
}

type Replying = (parts: readonly Part[], asked: Asked, times: number) => Reply | undefined

/** A pool of one connection, which somebody has used and holds: `reply` is for the resets that are asked of it from now on. */
async function staged(reply: Replying, isAlone = false) {
  let cameAlone: boolean | undefined
  let isArmed = false
  let times = 0
  let tell = () => {}
  const asked = new Promise<void>((resolve) => {
    tell = resolve
  })
  const server = await answeringServer(
    (connection) => 7 + Math.min(connection, 1),
    (asked) => {
      if (!isArmed || asked.connection > 0 || !asked.hasReset) return undefined
      times++
      cameAlone ??= !asked.hasFollower
      tell()
      return reply(asked.answer, asked, times)
    },
  )
  const { host, port } = server.address
  const pool = await createPool(undefined, { host, port, user: 'app', ssl: false, minSize: 1, maxSize: 1 })
  onTestFinished(() => pool.terminate())
  const closed: string[] = []
  pool.on('close', ({ reason }) => void closed.push(reason))
  // Known to be quick, it shares connections.
  for (let i = 0; i < 3; i++) await pool.fetchVal(prepared)
  const held = await pool.acquire()
  await held.fetchVal(prepared)
  isArmed = true
  /** Whatever it was, the pool goes on. */
  const end = async () => {
    isArmed = false
    expect(times, 'so often a reset was asked for').toBeGreaterThan(0)
    expect(cameAlone).toBe(isAlone)
    expect([7, 8]).toContain(await pool.fetchVal(prepared))
    await until('all is back', () => pool.idleSize === 1 && pool.stats().leased === 0)
    return { closed, times }
  }
  return { server, pool, held, asked, end }
}

/** The value that `call` gives, or how it fails. */
async function toldBy(call: Promise<unknown>): Promise<string> {
  let value: unknown
  const end = await endOf(
    call.then((given) => {
      value = given
    }),
  )
  return end === 'done' ? String(value) : end
}

const bytesOf = (parts: readonly Part[]) => parts.map(({ bytes }) => bytes)
const end = (parts: readonly Part[]) => bytesOf(parts.filter(({ of }) => of === 'end'))
/** The place of the first message that answers the statement behind the reset. */
const between = (parts: readonly Part[]) => parts.findIndex(({ of }) => of === 'follower')

/** `bytes` at this place, and everything else as it should be. */
const inserted =
  (at: number, ...bytes: Buffer[]) =>
  (parts: readonly Part[], _: Asked, times: number): Reply | undefined =>
    times > 1 ? undefined : { bytes: bytesOf(parts).toSpliced(at, 0, ...bytes) }

/** The answer up to this place, then `bytes`, and the server skips the rest. */
const brokenOff =
  (at: number, ...bytes: Buffer[]) =>
  (parts: readonly Part[], _: Asked, times: number): Reply | undefined =>
    times > 1 ? undefined : { bytes: [...bytesOf(parts).slice(0, at), ...bytes, ...end(parts)] }

/** The answer up to this place, then `bytes`, and the server hangs up. */
const hungUp =
  (at: number, ...bytes: Buffer[]) =>
  (parts: readonly Part[]): Reply => ({ bytes: [...bytesOf(parts).slice(0, at), ...bytes], hangsUp: true })

/** Each place in the reset: before its first message up to before its last. */
const places = Array.from({ length: lengthOfReset }, (_, index) => index)
const completions = places.filter((place) => place % 2 === 1)

describe('a reset with a statement behind it, answered as it should be', () => {
  it('R7: lets the statement run', async () => {
    const { told, closed, times } = await meet(() => undefined)
    expect({ told, closed, times }).toEqual({ told: '7', closed: [], times: 1 })
  })

  it('has so many messages', async () => {
    await meet((parts) => {
      expect(between(parts)).toBe(lengthOfReset)
      return undefined
    })
  })
})

describe('R7: a reset that fails keeps the statement behind it from running, which goes elsewhere unseen:', () => {
  it.for(places)('by an error at message %i', async (at) => {
    const { told, closed } = await meet(brokenOff(at, error('XX000')))
    expect({ told, closed }).toEqual({ told: '8', closed: ['resetFailed'] })
  })

  it.for(['42501', '57014', '25P02', '40001'])('by an error of SQLSTATE %s', async (sqlState) => {
    const { told, closed } = await meet(brokenOff(9, error(sqlState)))
    expect({ told, closed }).toEqual({ told: '8', closed: ['resetFailed'] })
  })

  it.for(places)('by the end of the connection at message %i, as the server says', async (at) => {
    const { told, closed } = await meet(hungUp(at, fatal))
    expect({ told, closed }).toEqual({ told: '8', closed: ['lost'] })
  })

  it('by an error behind which the server hangs up', async () => {
    expect(await meet(hungUp(9, error('XX000')))).toMatchObject({ told: '8', closed: ['resetFailed'] })
    expect(await meet(hungUp(9, error('22012')))).toMatchObject({ told: '8', closed: ['lost'] })
  })

  it.for(['22012', '26000'])('by an error of SQLSTATE %s each time it is tried', async (sqlState) => {
    const always = (parts: readonly Part[]) => ({
      bytes: [...bytesOf(parts).slice(0, 3), error(sqlState), ...end(parts)],
    })
    const { told, closed, times } = await meet(always)
    expect({ told, closed }).toEqual({ told: '8', closed: ['resetFailed'] })
    expect(times).toBeLessThanOrEqual(3)
  })
})

describe('R7: a reset that has to begin anew takes the statement along:', () => {
  it.for(['22012', '26000'])('after an error of SQLSTATE %s', async (sqlState) => {
    const { told, closed, times } = await meet(brokenOff(17, error(sqlState)))
    expect({ told, closed, times }).toEqual({ told: '7', closed: [], times: 2 })
  })
})

describe('R14: an answer that does not tell whether the statement ran breaks the connection, and says so:', () => {
  const unknown = { told: 'CONNECTION_LOST unknown', closed: ['lost'] }

  it.for([...places, 20, 21, 22, 23])('the server hangs up at message %i', async (at) => {
    expect(await meet(hungUp(at))).toMatchObject(unknown)
  })

  it.for([20, 21, 22])('the server ends the connection at message %i, behind the reset', async (at) => {
    const { told, closed } = await meet(hungUp(at, fatal))
    expect({ told, closed }).toEqual({ told: 'CONNECTION_LOST unknown 57P01', closed: ['lost'] })
  })

  it('the connection is reset', async () => {
    const { told } = await meet((parts) => ({ bytes: bytesOf(parts).slice(0, 5), resets: true }))
    expect(told).toBe('CONNECTION_LOST unknown')
  })

  it.for(completions)('the completion at message %i is missing', async (at) => {
    expect(await meet((parts) => ({ bytes: bytesOf(parts).toSpliced(at, 1) }))).toMatchObject(unknown)
  })

  it.for(completions.slice(0, -1))('the completion at message %i comes twice', async (at) => {
    expect(await meet((parts) => inserted(at, bytesOf(parts)[at]!)(parts, {} as Asked, 1))).toMatchObject(
      unknown,
    )
  })

  it('the reset fails at its end, behind a completion too many', async () => {
    const reply = (parts: readonly Part[]) => {
      const bytes = bytesOf(parts)
      return {
        bytes: [...bytes.slice(0, 10), bytes[9]!, ...bytes.slice(10, 19), error('40001'), ...end(parts)],
      }
    }
    expect(await meet(reply)).toMatchObject(unknown)
  })

  it.for([...places, 20, 21, 22])('ReadyForQuery comes at message %i already', async (at) => {
    expect(await meet(inserted(at, readyForQuery()))).toMatchObject(unknown)
    expect(await meet(brokenOff(at))).toMatchObject(unknown)
  })

  it.for<[what: string, bytes: Buffer]>([
    ['a description', oneInt4],
    ['the answer to an empty query', message('I')],
    ['a suspended portal', message('s')],
    ['a COPY from the client', message('G', Buffer.of(0), int16(0))],
    ['a COPY to the client', message('H', Buffer.of(0), int16(0))],
    ['COPY data', message('d', Buffer.from('1\n'))],
    ['parameters', message('t', int16(0))],
    ['an unknown message', message('?')],
    ['a message of length zero', Buffer.from([0x43, 0, 0, 0, 0])],
    ['a tag without an end', message('C', Buffer.from('RESET'))],
    ['an encoding that is not UTF-8', parameterStatus('client_encoding', 'LATIN1')],
  ])('%s in the midst of the reset', async ([, bytes]) => {
    expect(await meet(inserted(6, bytes))).toMatchObject(unknown)
  })
})

describe('R7: the answer of a statement whose reset has failed is never handed to its caller:', () => {
  it.for(
    ['XX000', '22012', '26000'].flatMap((sqlState) =>
      [0, 3, 17, 18, 19].map((at) => [sqlState, at] as const),
    ),
  )('after an error of SQLSTATE %s at message %i', async ([sqlState, at]) => {
    const goesOn = (parts: readonly Part[]) => ({
      bytes: bytesOf(parts).toSpliced(at, 1, error(sqlState)),
    })
    const onlyFollower = (parts: readonly Part[]) => ({
      bytes: [...bytesOf(parts).slice(0, at), error(sqlState), ...bytesOf(parts).slice(between(parts))],
    })
    const noEnd = (parts: readonly Part[]) => ({
      bytes: onlyFollower(parts).bytes.slice(0, -1),
      hangsUp: true,
    })
    for (const reply of [goesOn, onlyFollower, noEnd]) {
      // What is closed at once is not read any further: there the error alone has told.
      const told = sqlState === 'XX000' ? '8' : 'CONNECTION_LOST unknown'
      const closed = sqlState === 'XX000' ? ['resetFailed'] : ['lost']
      expect(await meet(reply)).toMatchObject({ told, closed })
    }
  })

  it('where ReadyForQuery comes twice behind the error', async () => {
    const { told, closed } = await meet(brokenOff(17, error('22012'), readyForQuery()))
    expect({ told, closed }).toEqual({ told: 'CONNECTION_LOST unknown', closed: ['lost'] })
  })

  it('where the error comes twice', async () => {
    const { told, closed } = await meet(brokenOff(17, error('22012'), error('22012')))
    expect({ told, closed }).toEqual({ told: 'CONNECTION_LOST unknown', closed: ['lost'] })
  })
})

describe('what the server says beside its answer', () => {
  it.for([...places, 20, 21, 22])('R7: a notice at message %i changes nothing', async (at) => {
    const { told, closed, notices } = await meet(inserted(at, notice))
    expect({ told, closed }).toEqual({ told: '7', closed: [] })
    // Before the reset has ended it is none of the next owner's.
    expect(notices).toEqual(at < lengthOfReset ? [] : ['by the way'])
  })

  it.for([0, 7, 19, 20, 22])('a setting at message %i changes nothing', async (at) => {
    const { told, closed } = await meet(inserted(at, parameterStatus('TimeZone', 'Asia/Tokyo')))
    expect({ told, closed }).toEqual({ told: '7', closed: [] })
  })

  it.for([0, 7, 19, 20, 22])('a notification at message %i changes nothing', async (at) => {
    const notification = message('A', int32(4711), cstring('news'), cstring('old'))
    const { told, closed } = await meet(inserted(at, notification))
    expect({ told, closed }).toEqual({ told: '7', closed: [] })
  })

  it('an error of the statement itself is its own, and the connection stays', async () => {
    const { told, closed } = await meet(brokenOff(20, error('22003')))
    expect({ told, closed }).toEqual({ told: 'POSTGRES failed 22003', closed: [] })
  })
})

describe('a statement that is only prepared behind the reset was not run:', () => {
  const another = 'select n from another'

  it('R7: the reset fails', async () => {
    expect(await meet(brokenOff(5, error('XX000')), another)).toMatchObject({
      told: '8',
      closed: ['resetFailed'],
    })
  })

  it.for([0, 5, 19])('the server hangs up at message %i', async (at) => {
    expect(await meet(hungUp(at), another)).toMatchObject({ told: '8', closed: ['lost'] })
  })

  it.for([0, 5, 19])('ReadyForQuery comes at message %i already', async (at) => {
    expect(await meet(inserted(at, readyForQuery()), another)).toMatchObject({ told: '8', closed: ['lost'] })
  })

  it('its description comes though the reset has failed', async () => {
    const reply = (parts: readonly Part[]) => ({
      bytes: [error('22012'), ...bytesOf(parts).slice(between(parts))],
    })
    expect(await meet(reply, another)).toMatchObject({ told: '8', closed: ['lost'] })
  })
})

describe('a reset that was sent alone: the statement that waits for it was not sent, and goes elsewhere unseen', () => {
  const last = lengthOfReset - 1

  it.for<[what: string, reply: Replying, reason: string]>([
    ['it fails', brokenOff(9, error('XX000')), 'resetFailed'],
    ['it fails at its end', brokenOff(lengthOfReset, error('XX000')), 'resetFailed'],
    ['the server ends the connection', hungUp(9, fatal), 'lost'],
    ['the server hangs up', hungUp(9), 'lost'],
    ['the server hangs up before ReadyForQuery', hungUp(lengthOfReset), 'lost'],
    ['a completion is missing', (parts) => ({ bytes: bytesOf(parts).toSpliced(last, 1) }), 'lost'],
    [
      'a completion comes twice',
      (parts) => ({ bytes: bytesOf(parts).toSpliced(last, 0, bytesOf(parts)[last]!) }),
      'lost',
    ],
    ['ReadyForQuery comes early', inserted(9, readyForQuery()), 'lost'],
    ['it goes on behind an error', inserted(9, error('22012')), 'lost'],
    ['a row comes behind its end', inserted(lengthOfReset, oneInt4), 'lost'],
  ])('where %s', async ([, reply, reason]) => {
    expect(await meetAlone(reply)).toMatchObject({ told: '8', closed: [reason] })
  })

  it.for(['22012', '26000'])('or begins anew after an error of SQLSTATE %s', async (sqlState) => {
    expect(await meetAlone(brokenOff(17, error(sqlState)))).toMatchObject({ told: '7', closed: [] })
  })
})

describe('R16: of statements by themselves that would share the connection', () => {
  it('all go elsewhere unseen where the reset fails', async () => {
    expect(await meetShared(brokenOff(9, error('XX000')))).toMatchObject({
      told: ['8', '8', '8'],
      closed: ['resetFailed'],
    })
  })

  it('only the one behind the reset has an unknown outcome where the server hangs up', async () => {
    expect(await meetShared(hungUp(9))).toMatchObject({
      told: ['CONNECTION_LOST unknown', '8', '8'],
      closed: ['lost'],
    })
  })

  it('all are answered where the reset begins anew', async () => {
    expect(await meetShared(brokenOff(17, error('22012')))).toMatchObject({
      told: ['7', '7', '7'],
      closed: [],
    })
  })

  it('none has the answer of one that the server should have skipped', async () => {
    const reply = (parts: readonly Part[]) => ({ bytes: bytesOf(parts).toSpliced(18, 1, error('22012')) })
    expect(await meetShared(reply)).toMatchObject({
      told: ['CONNECTION_LOST unknown', '8', '8'],
      closed: ['lost'],
    })
  })
})

describe('R8: a statement that goes elsewhere while there is no other connection', () => {
  it.for(['a signal', 'a time-out'])('ends by %s', async (by) => {
    const play = await staged(brokenOff(9, error('XX000')))
    const { pool, held } = play
    const waiting = pool.acquire()
    await held.release()
    const next = await waiting
    pool.suspend()
    const controller = new AbortController()
    const asked = next.fetchVal(
      prepared,
      [],
      by === 'a signal' ? { signal: controller.signal } : { timeout: 20 },
    )
    const failed = expect(asked).rejects.toMatchObject(
      by === 'a signal' ? { message: 'left' } : { code: 'ROCKPOOL_QUERY_TIMEOUT', outcome: 'not-sent' },
    )
    await until('it waits for another', () => pool.waitingSize === 1)
    controller.abort(new Error('left'))
    await failed
    pool.resume()
    expect(await next.fetchVal(prepared)).toBe(8)
    await next.release()
    await play.end()
  })
})

it('R7: whoever listens to a connection hears nothing of an unseen move, and goes on to hear what comes behind it', async () => {
  const play = await staged(brokenOff(9, error('XX000')))
  const { pool, held } = play
  const waiting = pool.acquire()
  await held.release()
  const next = await waiting
  const heard: string[] = []
  next.addTerminationListener(() => heard.push('the end'))
  next.addLogListener(({ message }) => heard.push(message))
  expect(await next.fetchVal(prepared)).toBe(8)
  expect(heard).toEqual([])
  for (const peer of play.server.peers) if (!peer.socket.destroyed) peer.send(notice)
  await until('the notice is heard', () => heard.length === 1)
  await next.terminate()
  expect(heard).toEqual(['by the way', 'the end'])
  await next.release()
})
