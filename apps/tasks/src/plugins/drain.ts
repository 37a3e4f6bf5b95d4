import fp from 'fastify-plugin'
import { HttpClients } from '../http-clients.ts'

/** When the service closes, it answers the requests that it has received, and no client can hold it up. */
export const drainPlugin = fp(async (app) => {
  const clients = new HttpClients(app.server)
  // Whoever asks from now on hears of the end from Fastify.
  app.addHook('preClose', async () => clients.announceEnd())
  // The server calls it as it stops listening. Its own would cut off answers on their way.
  app.server.closeIdleConnections = () => clients.end()
})
