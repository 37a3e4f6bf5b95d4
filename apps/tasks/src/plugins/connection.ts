import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Connection } from 'rockpool'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route's handler gets a connection of the pool, as `request.connection`. */
    connection?: boolean
  }

  interface FastifyRequest {
    /** Lent for this request; of a route that does not declare it, it throws. */
    readonly connection: Connection
  }
}

/**
 * A route with `config: { connection: true }` is given a connection of `app.pool` just before its handler, when
 * everything that may refuse the request has had its say. It goes back once: when the answer is ready, for a stream
 * when it is sent, and at once when the client hangs up, which cancels a statement that still runs.
 */
export const connectionPlugin = fp(
  async (app) => {
    const held = new WeakMap<FastifyRequest, Connection>()

    const take = async (request: FastifyRequest, { raw }: FastifyReply) => {
      const hangUp = new AbortController()
      // Of the request itself, 'close' says only that its body was read.
      raw.once('close', () => {
        giveBack(request)
        hangUp.abort(new Error('the client hung up'))
      })
      if (raw.destroyed) throw new Error('the client hung up')
      const connection = await app.pool.acquire({ signal: hangUp.signal })
      held.set(request, connection)
      if (hangUp.signal.aborted) giveBack(request)
    }

    const giveBack = (request: FastifyRequest) => {
      const connection = held.get(request)
      held.delete(request)
      void connection?.release()
    }

    const giveBackUnlessStreaming = async (request: FastifyRequest, _: FastifyReply, payload: unknown) => {
      if (!(payload instanceof Readable)) giveBack(request)
    }

    app.decorateRequest('connection', {
      getter(this: FastifyRequest) {
        const connection = held.get(this)
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
