import type { Duration } from '../../duration.ts'
import type { ProtocolMessage } from './protocol-message.ts'

/**
 * What can be wrong with a network. The proxy has these words for all its connections, present and later; its
 * `toServer` and `toClient` for one way of them; a connection and its `toServer` and `toClient` for itself alone. Both
 * ways is the same as each of the two. Faults add up, and last until they are taken back.
 */
export interface Faults {
  /**
   * What comes is passed on later by `latency` and a random part of `jitter`, in its order, the sender's FIN included.
   * `jitter`: default 0. A latency of 0, the default: at once; what waits already then waits no longer.
   *
   * @throws InterfaceError where one of them is no duration.
   */
  delay(latency: Duration, jitter?: Duration): void
  /**
   * What comes is passed on in writes of at most so many bytes, each in a turn of the event loop of its own. 0, the
   * default: as it comes.
   *
   * @throws InterfaceError where `bytes` is no whole number of 0 or more.
   */
  slice(bytes: number): void
  /**
   * Nothing passes, neither bytes nor FIN nor RST, and nothing is lost: the sender meets back-pressure once 64 KiB wait.
   * While the way to the server is held, a new connection is accepted but does not reach the server; it does at
   * `resume()`, unless the client has left by then.
   */
  hold(): void
  /** Bytes pass; that the sender has closed or reset the connection is told only after `resume()`. */
  holdEnd(): void
  /**
   * What waits and what comes is thrown away, FIN and RST too, and the sender is none the wiser. TCP knows no gaps: what
   * has lost something passes nothing any more, not even after `resume()`. New connections: as with `hold()`.
   */
  drop(): void
  /** Ends `hold()`, `holdEnd()` and `drop()`. */
  resume(): void
  /**
   * At once, past whatever is held: the receiver of this way is told that the connection is closed in order (FIN), and
   * gets nothing any more. On one way alone, the sender is not told. On the proxy: its present connections.
   */
  end(): void
  /** The same by RST: on a connection both sides see `ECONNRESET`, and it is closed. */
  reset(): void
  /** Ends every fault that lasts: what is delayed, sliced, held, rewritten or waits for a byte. What has happened stays. */
  heal(): void
}

/** What can be wrong with one way. */
export interface OneWayFaults extends Faults {
  /**
   * Calls `action` once exactly so many bytes have been passed on this way, counted from the connection's start, and
   * before one more is: at 0 before anything is, and before the server is reached. A promise that it returns is awaited
   * before more passes this way. What it throws resets the connection and is thrown by `FaultProxy.close()`.
   *
   * @throws InterfaceError where `bytes` is no whole number of 0 or more, or the connection is past it.
   */
  at(bytes: number, action: (connection: ProxiedConnection) => unknown): void
  /** What comes is replaced by what `rewriter` makes of it. Takes the place of an older rewriter. */
  rewrite(rewriter: BytesRewriter): void
  /** Each message of PostgreSQL's protocol is replaced by what `rewriter` makes of it. Takes the place of an older rewriter. */
  rewriteMessages(rewriter: MessageRewriter): void
}

/**
 * Gives what is passed on in the place of `chunk`; an empty Buffer: nothing. `offset` counts the bytes that came before
 * it. What it throws resets the connection and is thrown by `FaultProxy.close()`.
 */
export type BytesRewriter = (chunk: Buffer, offset: number, connection: ProxiedConnection) => Buffer

/**
 * Gives what is passed on in the place of `message`: itself, others, bytes that need not be messages, or an empty array
 * for nothing. It gets whole messages, and none once the connection is encrypted. What it throws resets the connection
 * and is thrown by `FaultProxy.close()`.
 */
export type MessageRewriter = (
  message: ProtocolMessage,
  connection: ProxiedConnection,
) => ProtocolMessage | Buffer | readonly (ProtocolMessage | Buffer)[]

export const connectionKinds = ['unknown', 'session', 'cancel', 'tls'] as const

/**
 * What a connection is for, by its first packet: a session in the clear, a CancelRequest, or something encrypted; the
 * proxy cannot tell what. Where the server declines encryption, `'tls'` becomes `'session'` or `'cancel'`.
 */
export type ConnectionKind = (typeof connectionKinds)[number]

/** One way of one connection. */
export interface Flow extends OneWayFaults {
  /** Bytes that the sender has sent so far. */
  readonly bytesReceived: number
  /** Bytes that the receiver has been sent so far. */
  readonly bytesPassed: number
  /**
   * Resolves once the sender has sent at least so many bytes in all.
   *
   * @throws InterfaceError where `bytes` is no whole number; ConnectionLostError where the connection is closed before.
   */
  received(bytes: number): Promise<void>
  /** The same for what has been passed on to the receiver. */
  passed(bytes: number): Promise<void>
}

/** A client's connection through the proxy, with the proxy's own to the server. */
export interface ProxiedConnection extends Faults {
  /** Counted from 1 in the order in which the proxy accepted them. */
  readonly id: number
  readonly kind: ConnectionKind
  readonly toServer: Flow
  readonly toClient: Flow
  /** Whether both sides are closed. */
  readonly isClosed: boolean
  /** Resolves then. Never rejects. */
  readonly closed: Promise<void>
}
