import fp from 'fastify-plugin'
import { HttpClients } from '../http-clients.ts'

/** When the service closes, it answers the requests that it has received, and no client can hold it up. */
export const drainPlugin = fp(async (app) => {
  const clients = new HttpClients(app.server)
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close')
    done()
  })
  // The server calls it as it stops listening. Its own would cut off answers on their way.
  app.server.closeIdleConnections = () => clients.end()
})
