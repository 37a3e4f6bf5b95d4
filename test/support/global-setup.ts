import { access, chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { installedPostgres, reachableBy } from '../../apps/tasks/src/embedded/binaries.ts'
import { removeAbandoned } from './abandoned.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { startTestServer, type TestServer } from './test-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    servers: TestServer[]
    certificates: Certificates
  }
}

const systemFolder = '/usr/lib/postgresql'

/** Starts the servers that the whole run shares: the embedded PostgreSQL and, where there is one, the system's. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'rockpool-test-'))
  await chmod(folder, 0o755)
  const certificates = await makeCertificates(join(folder, 'certificates'))
  const account = await serverAccount()
  const embedded = await reachableBy(account, await installedPostgres(), folder)
  await removeAbandoned(join(embedded, 'bin'), account)
  const system = await systemPostgres()
  const bins = [join(embedded, 'bin'), ...(system === undefined ? [] : [system])]

  const starts = await Promise.allSettled(bins.map((bin) => startTestServer(bin, certificates)))
  const running = starts.filter((start) => start.status === 'fulfilled').map((start) => start.value)
  const stop = async () => {
    await Promise.all(running.map((one) => one.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  const failed = starts.find((start) => start.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  const versions = running.map((one) => one.server.major).join(', ')
  const absent = system === undefined ? `1 absent: there is no ${systemFolder}/*/bin/initdb` : 'none absent'
  console.log(`Test servers: PostgreSQL ${versions}; ${absent}`)
  project.provide(
    'servers',
    running.map((one) => one.server),
  )
  project.provide('certificates', certificates)
  return stop
}

/** The programs of the oldest PostgreSQL that Debian's packages installed. */
async function systemPostgres(): Promise<string | undefined> {
  const versions = (await readdir(systemFolder).catch(() => [])).sort((a, b) => Number(a) - Number(b))
  for (const version of versions) {
    const bin = join(systemFolder, version, 'bin')
    const complete = await access(join(bin, 'initdb')).then(
      () => true,
      () => false,
    )
    if (complete) return bin
  }
  return undefined
}
