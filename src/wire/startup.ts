import { ConnectError, PostgresError, type PostgresReport } from '../errors.ts'
import { type AuthenticationPolicy, authenticate } from './authentication/authenticate.ts'
import type { Dialogue } from './authentication/dialogue.ts'
import { connectFailure } from './connect-failure.ts'
import { brokenProtocol, describeType } from './frame-reader.ts'
import { Inbox, type Message } from './inbox.ts'
import {
  Backend,
  type BodyReader,
  readReport,
  type TransactionStatus,
  transactionStatus,
} from './messages.ts'
import { OutBuffer } from './out-buffer.ts'
import { discard, type Socket } from './socket.ts'
import type { TlsSettings } from './tls.ts'
import { openTransport, type ServerAddress, socketPath, type Transport } from './transport.ts'

/** All that one attempt to reach one server needs. It holds the password, so it lives no longer than the attempt. */
export interface SessionRequest {
  readonly address: ServerAddress
  /** `undefined`: the session is not encrypted. */
  readonly tls: TlsSettings | undefined
  readonly user: string
  readonly database: string
  readonly password: string | undefined
  /** Run-time parameters for the session, by name. */
  readonly serverSettings: Readonly<Record<string, string>>
  readonly authentication: AuthenticationPolicy
  /** How long the connection may be idle before the system probes it, in milliseconds; 0: never. */
  readonly keepAlive: number
}

/**
 * A session at its first ReadyForQuery. The socket is paused and bears no listener: whoever takes it over attaches
 * its own in the same turn of the event loop, reads `rest` first, and resumes.
 */
export interface EstablishedSession {
  readonly socket: Socket
  /** Bytes that came behind the ReadyForQuery. */
  readonly rest: Buffer
  readonly transactionStatus: TransactionStatus
  /** The server's process of this session, and the key that a cancel of it must show. 0 and empty where a proxy gave none. */
  readonly processId: number
  readonly secretKey: Buffer
  /** What the server reported by ParameterStatus. */
  readonly parameters: Map<string, string>
  /** What the server remarked during the start-up. */
  readonly notices: readonly PostgresReport[]
  /** With the IP address that was reached. */
  readonly address: ServerAddress
  readonly encrypted: boolean
  /** How a cancel of this session is encrypted; `undefined` where the session is not. */
  readonly tls: TlsSettings | undefined
}

/**
 * Opens a connection to one server and starts a session on it: encryption, StartupMessage 3.0, authentication, up to
 * the first ReadyForQuery. See "Start-up" (protocol-flow-start-up) in the PostgreSQL documentation.
 *
 * Where encryption is only preferred and the server admits this user in the clear alone (`hostnossl`), it is tried
 * once more without, as libpq does.
 *
 * @throws ConnectError naming the server, or the reason of `signal` once that is aborted; nothing stays open then
 */
export async function startSession(
  request: SessionRequest,
  signal: AbortSignal,
): Promise<EstablishedSession> {
  try {
    const transport = await openTransport(request.address, request.tls, signal, request.keepAlive)
    const session = startOver(transport, request, signal)
    if (transport.encrypted === undefined || request.tls?.mandatory) return await session
    return await session.catch((refusal: unknown) => startInTheClear(request, refusal, signal))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw connectFailure(request.address, error)
  }
}

async function startInTheClear(
  request: SessionRequest,
  refusal: unknown,
  signal: AbortSignal,
): Promise<EstablishedSession> {
  if (!(refusal instanceof PostgresError && refusal.sqlState === '28000')) throw refusal
  try {
    const transport = await openTransport(request.address, undefined, signal, request.keepAlive)
    return await startOver(transport, request, signal)
  } catch (error) {
    const { message, permanent } = connectFailure(request.address, error)
    throw new ConnectError(`${message} (and over TLS: ${refusal.message})`, { cause: error, permanent })
  }
}

/**
 * Starts a session over a connection that is open.
 *
 * @throws what went wrong as it is: ConnectError, PostgresError, ConnectionLostError, the system's error, or the reason
 * of `signal`; the connection is closed then
 */
export async function startOver(
  transport: Transport,
  request: SessionRequest,
  signal: AbortSignal,
): Promise<EstablishedSession> {
  const { socket } = transport
  const inbox = new Inbox(socket, signal)
  try {
    const dialogue = new StartupDialogue(socket, inbox)
    socket.write(startupMessage(request))
    await authenticate(dialogue, {
      user: request.user,
      password: request.password,
      policy: request.authentication,
      confidential: transport.encrypted !== undefined || socketPath(request.address) !== undefined,
      certificate: transport.encrypted?.getPeerX509Certificate()?.raw,
    })
    const answers = await collectAnswers(dialogue)
    return {
      socket,
      rest: inbox.handOver(),
      ...answers,
      notices: dialogue.notices,
      address: reached(request.address, socket),
      encrypted: transport.encrypted !== undefined,
      tls: transport.encrypted && request.tls?.asMandatory,
    }
  } catch (error) {
    inbox.release()
    discard(socket)
    throw error
  }
}

/** No spread: each copy by it has a hidden class of its own, which takes more than the copy. */
function reached(address: ServerAddress, { remoteAddress }: Socket): ServerAddress {
  if (remoteAddress === undefined) return address
  return { host: address.host, port: address.port, ip: remoteAddress }
}

/** The server's limit for a start-up packet (MAX_STARTUP_PACKET_LENGTH); past it, it only says "invalid length". */
const longestStartup = 10_000

function startupMessage(request: SessionRequest): Buffer {
  const out = new OutBuffer(512)
  out.int32(0)
  out.int32(0x0003_0000)
  const parameters: Record<string, string> = {
    user: request.user,
    database: request.database,
    client_encoding: 'UTF8',
    ...request.serverSettings,
  }
  for (const [name, value] of Object.entries(parameters)) {
    out.cstring(name)
    out.cstring(value)
  }
  out.int8(0)
  if (out.position > longestStartup) {
    throw new ConnectError(
      `user, database and serverSettings take ${out.position} bytes, the server accepts ${longestStartup}; ` +
        'set long settings with SQL, or with ALTER ROLE … SET',
      { permanent: true },
    )
  }
  out.endMessage(0)
  return out.take()
}

/** The messages, without those that may come at any time; an ErrorResponse is thrown. */
class StartupDialogue implements Dialogue {
  readonly notices: PostgresReport[] = []
  readonly #socket: Socket
  readonly #inbox: Inbox

  constructor(socket: Socket, inbox: Inbox) {
    this.#socket = socket
    this.#inbox = inbox
  }

  send(message: Buffer): void {
    this.#socket.write(message)
  }

  async next(): Promise<Message> {
    for (;;) {
      const message = await this.#inbox.next()
      switch (message.type) {
        case Backend.ErrorResponse:
          throw new PostgresError(readReport(message.body))
        case Backend.NoticeResponse:
          this.notices.push(readReport(message.body))
          break
        case Backend.NegotiateProtocolVersion:
          acceptNegotiation(message.body)
          break
        default:
          return message
      }
    }
  }
}

/** Version 3.0 is what every server speaks and no protocol option was asked for, so that there is nothing to give up. */
function acceptNegotiation(body: BodyReader): void {
  body.int32()
  if (body.int32() !== 0) throw brokenProtocol('it rejects protocol options that were not asked for')
}

/** PostgreSQL 18's protocol allows a secret key of up to 256 bytes; before, it had 4. */
const longestSecretKey = 256

async function collectAnswers(dialogue: Dialogue) {
  const parameters = new Map<string, string>()
  let processId = 0
  let secretKey: Buffer = Buffer.alloc(0)
  for (;;) {
    const { type, body } = await dialogue.next()
    switch (type) {
      case Backend.ParameterStatus:
        parameters.set(body.cstring(), body.cstring())
        break
      case Backend.BackendKeyData:
        processId = body.int32()
        if (body.remaining > longestSecretKey) throw brokenProtocol(`a secret key of ${body.remaining} bytes`)
        secretKey = body.bytes()
        break
      case Backend.ReadyForQuery:
        checkReported(parameters)
        return { parameters, processId, secretKey, transactionStatus: transactionStatus(body.byte()) }
      default:
        throw brokenProtocol(`message ${describeType(type)} during the start-up`)
    }
  }
}

/** Every text is read and written as UTF-8 (`UNICODE` is the same by an old name); types depend on the version. */
function checkReported(parameters: Map<string, string>): void {
  const encoding = parameters.get('client_encoding')
  if (encoding !== 'UTF8' && encoding !== 'UNICODE') {
    throw new ConnectError(
      `the server reports client_encoding ${encoding ?? '(nothing)'} where UTF8 was asked for; ` +
        'something between forces another one, which rockpool cannot read',
      { permanent: true },
    )
  }
  if (!parameters.has('server_version')) {
    throw new ConnectError('the server does not report its server_version; is it PostgreSQL?', {
      permanent: true,
    })
  }
}
