import net from 'node:net'
import type tls from 'node:tls'
import { ConnectError } from '../errors.ts'
import { describeType } from './frame-reader.ts'
import { readBuffer } from './read-buffer.ts'
import { discard, opening, type Socket } from './socket.ts'
import { requestTls, type TlsSettings, tlsHandshake } from './tls.ts'

/** Where a server listens. */
export interface ServerAddress {
  /** A name or an IP address; with a leading `/`, the directory of a Unix-domain socket. Certificates are checked against it. */
  readonly host: string
  readonly port: number
  /** The IP address to dial instead of looking `host` up: a cancel must reach the very server of its session. */
  readonly ip?: string
}

export interface Transport {
  socket: Socket
  /** The TLS socket where the session is encrypted. */
  encrypted: tls.TLSSocket | undefined
}

/** The path of the Unix-domain socket, or `undefined` for TCP. */
export function socketPath(address: ServerAddress): string | undefined {
  return address.host.startsWith('/') ? `${address.host}/.s.PGSQL.${address.port}` : undefined
}

/** `db:5432`, `[::1]:5432`, `/tmp/.s.PGSQL.5432`. */
export function describeAddress(address: ServerAddress): string {
  const host = net.isIPv6(address.host) ? `[${address.host}]` : address.host
  return socketPath(address) ?? `${host}:${address.port}`
}

/** @param keepAlive how long the socket may be idle before the system probes it, in milliseconds; 0: never */
function dial(address: ServerAddress, keepAlive: number, signal: AbortSignal): Promise<net.Socket> {
  signal.throwIfAborted()
  const path = socketPath(address)
  const reading = readBuffer(() => socket)
  const socket: net.Socket =
    path === undefined
      ? net.connect({
          host: address.ip ?? address.host,
          port: address.port,
          noDelay: true,
          keepAlive: keepAlive > 0,
          keepAliveInitialDelay: keepAlive,
          ...reading,
        })
      : net.connect({ path, ...reading })
  return opening(socket, signal, (done) => {
    const connected = () => done(socket)
    socket.once('connect', connected)
    return () => socket.off('connect', connected)
  })
}

/**
 * Opens a connection to the server, encrypted as `tls` says; a Unix-domain socket is never encrypted. Where
 * encryption is only preferred, a server that refuses it and one whose handshake fails are reached in the clear,
 * as libpq's sslmode=prefer does. See "Session Encryption" (protocol-flow-ssl) and "SSL Support" (libpq-ssl).
 *
 * @param keepAlive as for `net.Socket.setKeepAlive`, in milliseconds; 0: none
 * @throws ConnectError, the system's error, or the reason of `signal`; nothing stays open then
 */
export async function openTransport(
  address: ServerAddress,
  tls: TlsSettings | undefined,
  signal: AbortSignal,
  keepAlive = 0,
): Promise<Transport> {
  const socket = await dial(address, keepAlive, signal)
  if (tls === undefined || socketPath(address) !== undefined) return { socket, encrypted: undefined }
  if (tls.negotiation === 'direct') {
    const encrypted = await tlsHandshake(socket, tls, address.host, signal)
    return { socket: encrypted, encrypted }
  }
  const answer = await requestTls(socket, signal)
  if (answer === 'S') {
    try {
      const encrypted = await tlsHandshake(socket, tls, address.host, signal)
      return { socket: encrypted, encrypted }
    } catch (error) {
      discard(socket)
      if (tls.mandatory) throw error
      return openTransport(address, undefined, signal, keepAlive)
    }
  }
  if (answer === 'N' && !tls.mandatory) return { socket, encrypted: undefined }
  discard(socket)
  if (answer === 'N') {
    throw new ConnectError(
      'the server does not offer TLS, which the ssl option requires; ' +
        "switch TLS on in the server, or set ssl to 'prefer' or 'disable' where the network is trusted",
      { permanent: true },
    )
  }
  // What an ErrorResponse says here comes from nobody that can be trusted, so its text is not shown.
  if (answer === 'E') throw new ConnectError('the server answered the request for TLS with an error')
  throw new ConnectError(
    `the request for TLS was answered by ${describeType(answer.charCodeAt(0))}; is a PostgreSQL server at that address?`,
  )
}
