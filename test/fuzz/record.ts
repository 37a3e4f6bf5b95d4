import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { installedPostgres, reachableBy } from '../../apps/tasks/src/embedded/binaries.ts'
import { systemClock } from '../../src/deadline.ts'
import { makeCertificates } from '../support/certificates.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { Client } from './client.ts'
import { MemorySocket } from './memory-socket.ts'
import { canary, type Login, type Recording, type Turn } from './recordings.ts'
import { type Workload, type WorkloadName, workloads } from './workloads.ts'

/** The cheapest key derivation that a server sets: it is done for each stream that is played. */
const roles = `
  create role fuzz superuser login;
  set scram_iterations = 1;
  create role fuzz_scram login in role needs_scram password '${canary}';
  create role fuzz_clear login in role needs_password password '${canary}';
  set password_encryption = 'md5';
  create role fuzz_md5 login in role needs_md5 password '${canary}';
  create role fuzz_refused login in role needs_md5 password 'another'`

const plain: Login = { user: 'fuzz', database: 'postgres', asksForWrites: false }

const logins: Record<string, Login> = {
  loginByTrust: plain,
  loginByMd5: { ...plain, user: 'fuzz_md5' },
  loginByScram: { ...plain, user: 'fuzz_scram' },
  loginInTheClear: { ...plain, user: 'fuzz_clear' },
  loginRefused: { ...plain, user: 'fuzz_refused' },
  loginToNoDatabase: { ...plain, database: 'nowhere' },
  loginAsksForWrites: { ...plain, asksForWrites: true },
}

/** Has every login and every workload done once, on a server of their own, and keeps what it says. */
export async function record(): Promise<Recording[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rockpool-fuzz-'))
  try {
    const account = await serverAccount()
    const home = await reachableBy(account, await installedPostgres(), folder)
    const certificates = await makeCertificates(join(folder, 'certificates'))
    const { server, stop } = await startTestServer(join(home, 'bin'), certificates)
    try {
      return await recordAll(server)
    } finally {
      await stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function recordAll(server: TestServer): Promise<Recording[]> {
  const admin = new pg.Client(server.dsn)
  await admin.connect()
  try {
    await admin.query(roles)
    const recordings: Recording[] = []
    for (const [name, login] of Object.entries(logins)) {
      recordings.push({ name, login, workload: undefined, turns: await session(server, login, undefined) })
    }
    for (const [name, { prepare }] of Object.entries<Workload>(workloads)) {
      if (prepare !== undefined) await admin.query(prepare)
      const workload = name as WorkloadName
      recordings.push({ name, login: plain, workload, turns: await session(server, plain, workload) })
    }
    return recordings
  } finally {
    await admin.end()
  }
}

/** One session, with the server at the far end of the client's socket. */
async function session(
  server: TestServer,
  login: Login,
  workload: WorkloadName | undefined,
): Promise<Turn[]> {
  const turns: Turn[] = []
  let sent = 0
  const far = net.connect(server.port, server.host)
  const socket = new MemorySocket({
    received(bytes) {
      sent += bytes.length
      far.write(bytes)
    },
    ended: () => far.end(),
  })
  far.on('data', (bytes) => {
    const last = turns.at(-1)
    if (last?.after === sent) last.bytes = Buffer.concat([last.bytes, bytes])
    else turns.push({ after: sent, bytes })
    socket.deliver(bytes)
  })
  far.on('end', () => socket.finish())
  const client = new Client(socket, login, workload, systemClock)
  await client.done
  await client.session?.close()
  far.destroy()
  return turns
}
