// `npm start` answers within 10 s on an empty data folder, and SIGTERM ends it with 0.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const limit = 10_000

const probe = createServer().listen(0, '127.0.0.1')
await once(probe, 'listening')
const { port } = probe.address()
probe.close()
await once(probe, 'close')

const data = await mkdtemp(join(tmpdir(), 'rockpool-smoke-'))
const { DATABASE_URL: _, ...env } = process.env
const begun = performance.now()
const service = spawn('npm', ['start'], {
  env: { ...env, PORT: String(port), ROCKPOOL_DATA_DIR: data },
  stdio: 'inherit',
})
const exited = once(service, 'exit')

const isReady = () =>
  fetch(`http://127.0.0.1:${port}/health/ready`).then(
    (response) => response.ok,
    () => false,
  )

let ready = false
while (!ready && service.exitCode === null && performance.now() - begun < limit) {
  ready = await isReady()
  if (!ready) await pause(50)
}
const took = Math.round(performance.now() - begun)
service.kill('SIGTERM')
const [code, signal] = await exited
await rm(data, { recursive: true, force: true })

if (ready && code === 0) {
  console.log(`smoke: npm start answered after ${took} ms and stopped with 0`)
} else {
  console.error(`smoke: ready: ${ready} after ${took} ms (limit ${limit} ms), exit: ${code ?? signal}`)
  process.exitCode = 1
}
