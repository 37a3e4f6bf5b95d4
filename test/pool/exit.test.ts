import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshDatabase } from '../support/servers.ts'

const run = promisify(execFile)
const project = join(import.meta.dirname, '../..')

describe('allowExitOnIdle', () => {
  let folder: string

  /** Compiled into a folder of its own in the project, where Node finds the dependencies. */
  beforeAll(async () => {
    folder = await mkdtemp(join(project, 'node_modules', '.exit-test-'))
    const compiler = join(project, 'node_modules', '.bin', 'tsc')
    await run(compiler, ['-p', 'tsconfig.build.json', '--outDir', folder], { cwd: project })
  }, 120_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** What a program prints until it ends by itself; `undefined` where it does not within the time. */
  const output = async (program: string, within = 10_000): Promise<string | undefined> => {
    const path = join(folder, 'program.js')
    const dsn = await freshDatabase()
    await writeFile(path, `import { createPool } from './index.js'\nconst dsn = '${dsn}'\n${program}`)
    try {
      return (await run(process.execPath, [path], { timeout: within })).stdout.trim()
    } catch (error) {
      if ((error as { killed?: boolean }).killed) return undefined
      throw error
    }
  }

  it('a pool with only idle connections does not keep the process alive, whatever its limits', async () => {
    const program = `
      const pool = await createPool(dsn, {
        minSize: 2, maxSize: 2, allowExitOnIdle: true, commandTimeout: '60s', leakThreshold: '60s',
        detectDeadlocks: true,
      })
      await Promise.all(Array.from({ length: 8 }, () => pool.fetchVal('select 1')))
      await pool.use((connection) => connection.fetchVal('select 1'))
      console.log(pool.size)`
    expect(await output(program)).toBe('2')
  })

  it('a statement, and a waiter while nothing else goes on, keep it alive until they are answered', async () => {
    const program = `
      const pool = await createPool(dsn, { minSize: 1, maxSize: 1, allowExitOnIdle: true })
      console.log(await pool.fetchVal('select pg_sleep(0.3)::text is not null'))
      pool.suspend()
      await pool.acquire({ timeout: 300 }).catch((error) => console.log(error.code))`
    expect(await output(program)).toBe('true\nROCKPOOL_POOL_TIMEOUT')
  })

  it('a connection that is not given back keeps it alive', async () => {
    const program = `
      const pool = await createPool(dsn, { minSize: 1, maxSize: 1, allowExitOnIdle: true })
      await pool.acquire()`
    expect(await output(program, 1_500)).toBeUndefined()
  })

  it('whoever waits for pool.listen() while the server is away keeps it alive', async () => {
    const program = `
      import { Pool } from './index.js'
      const pool = new Pool('postgres://127.0.0.1:1/nowhere', { allowExitOnIdle: true })
      await pool.listen('news', () => {}, { timeout: 300 }).catch((error) => console.log(error.code))`
    expect(await output(program)).toBe('ROCKPOOL_POOL_TIMEOUT')
  })

  it('a subscription keeps it alive when its connection was lost', async () => {
    const program = `
      import { connect } from './index.js'
      const pool = await createPool(dsn, { minSize: 0, allowExitOnIdle: true })
      const told = () => pool.terminate().then(() => console.log('told'))
      await pool.listen('news', () => {}, { onReconnect: told })
      const other = await connect(dsn)
      await other.execute("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'"
        + ' and datname = current_database()')
      await other.close()`
    expect(await output(program)).toBe('told')
  })

  it('whoever waits for the floor keeps it alive: limits on what never answers come', async () => {
    const program = (options: string) => `
      const options = { allowExitOnIdle: true, hookTimeout: 200, connectTimeout: 200, ${options} }
      await createPool(dsn, options).catch((error) => console.log(error.message))`
    const never = '() => new Promise(() => {})'
    expect(await output(program(`connect: ${never}`))).toMatch(/connect hook did not end within 200 ms/)
    expect(await output(program(`init: ${never}`))).toMatch(/init hook did not end within 200 ms/)
    expect(await output(program(`password: ${never}`))).toMatch(/not ready within 200 ms/)
  })

  it("a hook's limit does not when the pool was terminated meanwhile", async () => {
    const program = `
      import { Pool } from './index.js'
      const pool = new Pool(dsn, { hookTimeout: '60s', connect: () => new Promise(() => {}) })
      pool.open().catch((error) => console.log(error.code))
      await pool.terminate()`
    expect(await output(program)).toBe('ROCKPOOL_POOL_CLOSED')
  })

  it('a subscription keeps it alive while the limit on a hook that never answers runs', async () => {
    const program = `
      import { connect } from './index.js'
      let opened = 0
      const open = (...args) => opened++ === 1 ? new Promise(() => {}) : connect(...args)
      const pool = await createPool(dsn, { minSize: 0, allowExitOnIdle: true, hookTimeout: 200, connect: open })
      const told = () => pool.terminate().then(() => console.log('told', opened))
      await pool.listen('news', () => {}, { onReconnect: told })
      pool.expireConnections()`
    expect(await output(program)).toBe('told 3')
  })

  it('close keeps it alive until the connections are closed', async () => {
    const program = `
      const pool = await createPool(dsn, { minSize: 2, allowExitOnIdle: true })
      await pool.close()
      console.log(pool.size)`
    expect(await output(program)).toBe('0')
  })

  it('the time-out of a statement that has ended does not, where a connect hook opened its connection', async () => {
    const program = `
      import { connect } from './index.js'
      const pool = await createPool(dsn, { minSize: 1, maxSize: 1, allowExitOnIdle: true, commandTimeout: '60s', connect })
      console.log(await pool.fetchVal('select 1'))`
    expect(await output(program)).toBe('1')
  })

  it('without it a pool keeps the process alive until it is closed', async () => {
    const program = `const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })`
    expect(await output(program, 1_500)).toBeUndefined()
    expect(await output(`${program}\nawait pool.close()\nconsole.log('closed')`)).toBe('closed')
  })
})
