import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest, onSendHookHandler, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Connection } from 'rockpool'

const lent = Symbol('lent')

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route's handler gets a connection of the pool, as `request.connection`. */
    connection?: boolean
  }

  interface FastifyRequest {
    /** Lent for this request; of a route that does not declare it, it throws. */
    readonly connection: Connection
    [lent]: Connection | undefined
  }
}

/**
 * A route with `config: { connection: true }` is given a connection of `app.pool` just before its handler, when
 * everything that may refuse the request has had its say. It goes back once: when the answer is ready, for a stream
 * when it is sent, and at once when the client hangs up, which cancels a statement that still runs.
 */
export const connectionPlugin = fp(
  async (app) => {
    const take: preHandlerAsyncHookHandler = async (request, reply) => {
      const { raw } = reply
      if (raw.destroyed) throw hungUp()
      // Of the request itself, 'close' says only that its body was read.
      raw.on('close', () => giveBack(request))
      request[lent] = await app.pool.acquire({ signal: hangUpOf(request.raw.socket) })
      if (isOver(reply)) giveBack(request)
    }

    const giveBackUnlessStreaming: onSendHookHandler = (request, _, payload, done) => {
      if (!(payload instanceof Readable)) giveBack(request)
      done()
    }

    app.decorateRequest(lent, undefined)
    app.decorateRequest('connection', {
      getter(this: FastifyRequest) {
        const connection = this[lent]
        if (connection !== undefined) return connection
        throw new Error(
          `${this.method} ${this.routeOptions.url} holds no connection: ` +
            'declare config: { connection: true }, and use it before the answer is sent',
        )
      },
    })

    app.addHook('onRoute', (route) => {
      if (route.config?.connection !== true) return
      const before = [route.preHandler ?? []].flat()
      // The HEAD twin of a GET route comes with the GET route's hooks.
      if (before.includes(take)) return
      route.preHandler = [...before, take]
      route.onSend = [giveBackUnlessStreaming, route.onSend ?? []].flat()
    })
  },
  { name: 'rockpool-connection' },
)

function giveBack(request: FastifyRequest): void {
  const connection = request[lent]
  request[lent] = undefined
  void connection?.release()
}

/** The client is gone, or was answered by a time-out, while the request waited. */
function isOver({ raw, sent }: FastifyReply): boolean {
  return raw.destroyed || sent
}

const hangUps = new WeakMap<Socket, AbortSignal>()

/** Aborts when the client hangs up: the same for all the requests of its connection. */
function hangUpOf(socket: Socket): AbortSignal {
  let signal = hangUps.get(socket)
  if (signal === undefined) {
    const controller = new AbortController()
    socket.once('close', () => controller.abort(hungUp()))
    signal = controller.signal
    hangUps.set(socket, signal)
  }
  return signal
}

function hungUp(): Error {
  return new Error('the client hung up')
}
