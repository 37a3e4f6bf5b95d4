import { readConfig } from './config.ts'
import { startService } from './service.ts'
import { exitOnSignal } from './shutdown.ts'

const abandoned = new AbortController()
const starting = Promise.resolve().then(() => startService(readConfig(process.env), abandoned.signal))

exitOnSignal({
  stop: async () => {
    const service = await starting.catch(() => undefined)
    await service?.stop()
  },
  abandon: () => abandoned.abort(),
})

starting.catch((error: unknown) => {
  process.stderr.write(`the task service did not start: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
})
