import type { FastifyInstance } from 'fastify'

/** Tells the address, and closes the service on SIGTERM. */
export async function listen(app: FastifyInstance): Promise<void> {
  process.once('SIGTERM', () => void app.close())
  console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
}
