import { describe, expect, it } from 'vitest'
import { ConnectionLostError, PostgresError } from '../../src/errors.ts'
import { Random } from '../simulation/random.ts'
import { violations } from './checks.ts'
import { bodyOf, type Frame, frame, framesOf, int16, typeOf, withBody } from './frames.ts'
import { type Played, play } from './play.ts'
import { loadRecordings, type Recording } from './recordings.ts'
import { assemble, type Plan, unchanged } from './streams.ts'

// What mutated streams found. Each is a recorded session with the one change that mattered.

const recordings = loadRecordings()

function recorded(name: string): Recording {
  const found = recordings.find((recording) => recording.name === name)
  if (found === undefined) throw new Error(`there is no recording ${name}`)
  return found
}

async function played(
  recording: Recording,
  change: (frames: Frame[]) => void,
  ending: Plan['ending'] = 'FIN',
): Promise<Played> {
  const frames = framesOf(recording.turns)
  change(frames)
  const result = await play(assemble({ ...unchanged(recording), ending }, frames, new Random(1)))
  expect(violations(result, { external: result.external })).toEqual([])
  return result
}

/** Everything that failed, in order. */
function errors({ outcomes }: Played): unknown[] {
  return outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
}

const isRowOfText = ({ bytes }: Frame, start: string) =>
  typeOf(bytes) === 'D' && bodyOf(bytes).subarray(6).toString('latin1').startsWith(start)

function rowOf(text: string): Buffer {
  return frame('D', int16(1), Buffer.byteLength(text), text)
}

describe('the answer to the question for types', () => {
  it.each([
    ['no JSON', '{"oid" : 1'],
    ['null', 'null'],
    ['no object', '7'],
    ['without attributes', '{"oid":1,"schema":"s","name":"n","kind":"composite","inner":0,"delimiter":","}'],
    [
      'without a delimiter',
      '{"oid":1,"schema":"s","name":"n","kind":"array","inner":1,"delimiter":"","attributes":[]}',
    ],
    [
      'of an unknown kind',
      '{"oid":1,"schema":"s","name":"n","kind":"?","inner":1,"delimiter":",","attributes":[]}',
    ],
  ])('is a broken protocol, and told as one, where it is %s', async (_what, text) => {
    const result = await played(recorded('ownTypes'), (frames) => {
      const row = frames.find((candidate) => isRowOfText(candidate, '{"oid"'))
      row!.bytes = rowOf(text)
    })
    const [first] = errors(result)
    expect(first).toBeInstanceOf(ConnectionLostError)
    expect((first as Error).message).toContain('a type was described by something else')
  })
})

describe('what COPY asks before it starts is a broken protocol where', () => {
  it('a statement is described with other columns than it has', async () => {
    const result = await played(recorded('copyIn'), (frames) => {
      for (const described of frames) {
        const body = bodyOf(described.bytes)
        if (typeOf(described.bytes) !== 'T' || body.readInt16BE(0) !== 3) continue
        const first = body.indexOf(0, 2) + 19
        described.bytes = withBody(described.bytes, Buffer.concat([int16(1), body.subarray(2, first)]))
      }
    })
    expect(errors(result)[0]).toMatchObject({
      code: 'ROCKPOOL_CONNECTION_LOST',
      message: expect.stringContaining('a statement of 3 columns was described with 1'),
    })
  })

  it.each([
    ['the names of columns are none', 'copyIn', 'a', []],
    ['the literals of arguments do not come', 'copyOut', "'x'", []],
  ])('%s', async (_what, name, start) => {
    const result = await played(recorded(name), (frames) => {
      const at = frames.findIndex((candidate) => isRowOfText(candidate, start))
      frames[at]!.bytes = frame('D', int16(1), -1)
    })
    expect(errors(result)[0]).toMatchObject({
      code: 'ROCKPOOL_CONNECTION_LOST',
      message: expect.stringContaining('a question about columns was answered by something else'),
    })
  })
})

it('a connection that is reset while the key of a login is derived is no session, and nobody waits for its end', async () => {
  const { turns, ...rest } = recorded('loginByScram')
  const dear = turns.map(({ after, bytes }) => ({
    after,
    bytes: framesOf([{ after, bytes }])
      .map((message) => {
        const body = bodyOf(message.bytes)
        return body.includes(',i=1')
          ? withBody(message.bytes, Buffer.concat([body, Buffer.from('00000')]))
          : message.bytes
      })
      .reduce((all, one) => Buffer.concat([all, one])),
  }))
  const result = await played({ ...rest, turns: dear }, () => {}, 'RST')
  expect(errors(result)).toHaveLength(1)
  expect(errors(result)[0]).toMatchObject({ code: 'ROCKPOOL_CONNECT' })
})

it('a batch of a cursor that neither ends nor stops at its limit is a broken protocol, and no empty batch for ever', async () => {
  const result = await played(recorded('cursor'), (frames) => {
    const suspended = frames.filter(({ bytes }) => typeOf(bytes) === 's')
    expect(suspended.length).toBeGreaterThan(1)
    frames.splice(frames.indexOf(suspended[1]!), 1)
  })
  expect(errors(result)[0]).toMatchObject({
    code: 'ROCKPOOL_CONNECTION_LOST',
    message: expect.stringContaining('a statement did not end'),
  })
})

it('a call on a connection that was lost leaves no timer behind, though it has a time-out', async () => {
  const result = await played(recorded('types'), (frames) => {
    frames.length = 1 + frames.findIndex(({ bytes }) => typeOf(bytes) === 'Z')
  })
  expect(errors(result)).toHaveLength(3)
})

it.each(['constructor', '__proto__', 'toString'])('the SQLSTATE %s is its own condition', (sqlState) => {
  expect(new PostgresError({ severity: 'ERROR', sqlState, message: '' }).condition).toBe(sqlState)
})
