import fp from 'fastify-plugin'

/**
 * When the service closes, a client's kept-alive connection ends with the answer in flight; else it would hold the
 * service up until the client lets go of it.
 */
export const drainPlugin = fp(async (app) => {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_, reply) => {
    if (closing) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async () => {
    // For an answer whose head went out before.
    if (closing) setImmediate(() => app.server.closeIdleConnections())
  })
})
