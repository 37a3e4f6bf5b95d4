import { writeFile } from 'node:fs/promises'
import { readOptions } from './options.ts'
import { report } from './report.ts'
import { SoakServer } from './server.ts'
import { Soak } from './soak.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)))
}

const options = readOptions(process.argv.slice(2))
const { server, remove } = await SoakServer.make()
try {
  const findings = await new Soak(server, options, interrupted.signal).run()
  const text = report(findings)
  console.log(text)
  if (options.report !== undefined) await writeFile(options.report, text)
  if (findings.violations.length > 0) process.exitCode = 1
} catch (error) {
  if (!interrupted.signal.aborted) throw error
  process.exitCode = 130
} finally {
  await remove()
}
