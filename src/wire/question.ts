import { PostgresError } from '../errors.ts'
import { brokenProtocol, describeType } from './frame-reader.ts'
import { Inbox } from './inbox.ts'
import { Backend, type BodyReader, Frontend, readReport } from './messages.ts'
import { OutBuffer } from './out-buffer.ts'
import { discard } from './socket.ts'
import type { EstablishedSession } from './startup.ts'

/**
 * Asks a session that nobody has taken over yet for one value, as text, by a simple query that gives one row of one
 * column. Afterwards the session is again as `startSession` gives it. See "Simple Query" (protocol-flow-simple-query).
 *
 * @throws PostgresError, ConnectionLostError, the system's error, or the reason of `signal`; the socket is closed then
 */
export async function askSession(
  session: EstablishedSession,
  sql: string,
  signal: AbortSignal,
): Promise<{ answer: string; session: EstablishedSession }> {
  const { socket } = session
  const inbox = new Inbox(socket, signal, session.rest)
  try {
    socket.resume()
    socket.write(query(sql))
    const answer = await readAnswer(inbox, session.parameters)
    return { answer, session: { ...session, rest: inbox.handOver() } }
  } catch (error) {
    inbox.release()
    discard(socket)
    throw error
  }
}

/** Says goodbye to a session that nobody has taken over ("Termination", protocol-flow-termination). */
export function dismissSession({ socket }: EstablishedSession): void {
  const out = new OutBuffer(5)
  out.endMessage(out.beginMessage(Frontend.Terminate))
  socket.on('error', () => {})
  socket.write(out.take())
  socket.destroySoon()
}

function query(sql: string): Buffer {
  const out = new OutBuffer(64)
  const lengthAt = out.beginMessage(Frontend.Query)
  out.cstring(sql)
  out.endMessage(lengthAt)
  return out.take()
}

async function readAnswer(inbox: Inbox, parameters: Map<string, string>): Promise<string> {
  let answer: string | undefined
  for (;;) {
    const { type, body } = await inbox.next()
    switch (type) {
      case Backend.DataRow:
        answer = onlyColumn(body)
        break
      case Backend.ParameterStatus:
        parameters.set(body.cstring(), body.cstring())
        break
      case Backend.ErrorResponse:
        throw new PostgresError(readReport(body))
      case Backend.ReadyForQuery:
        if (answer === undefined) throw brokenProtocol('it gives no row where there must be one')
        return answer
      case Backend.RowDescription:
      case Backend.CommandComplete:
      case Backend.NoticeResponse:
      case Backend.NotificationResponse:
        break
      default:
        throw brokenProtocol(`message ${describeType(type)} in answer to a simple query`)
    }
  }
}

function onlyColumn(body: BodyReader): string {
  const columns = body.int16()
  if (columns !== 1) throw brokenProtocol(`a row of ${columns} columns where one was asked for`)
  return body.bytes(body.int32()).toString('utf8')
}
