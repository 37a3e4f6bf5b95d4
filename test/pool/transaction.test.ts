import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPool, InterfaceError, type Pool, PostgresError } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('pool.transaction on PostgreSQL $major', (server) => {
  let dsn: string
  let pool: Pool

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    pool = await createPool(dsn, { minSize: 1, maxSize: 4 })
    await pool.execute(
      'create table accounts (id int primary key, amount int); insert into accounts values (1, 0), (2, 0)',
    )
  })

  afterEach(() => pool.terminate())

  /** Two that both read before either writes: the server lets one of them pass. */
  const writeSkew = async (retries: number | undefined) => {
    let calls = 0
    let arrived = 0
    let open!: () => void
    const bothRead = new Promise<void>((resolve) => {
      open = resolve
    })
    const move = (id: number) =>
      pool.transaction(
        async (tx) => {
          calls++
          const sum = await tx.fetchVal<number>('select sum(amount)::int from accounts')
          if (++arrived === 2) open()
          await bothRead
          await tx.execute('update accounts set amount = $2 where id = $1', [id, sum! + 1])
        },
        { isolation: 'serializable', ...(retries === undefined ? {} : { retries }) },
      )
    const results = await Promise.allSettled([move(1), move(2)])
    const amounts = await pool.fetch<{ amount: number }>('select amount from accounts order by amount')
    return { results, calls, amounts: amounts.map(({ amount }) => amount) }
  }

  it('R21: a serialization failure is the caller’s by default', async () => {
    const { results, calls } = await writeSkew(undefined)
    const failed = results.filter((result) => result.status === 'rejected')
    expect(failed.map(({ reason }) => reason.sqlState)).toEqual(['40001'])
    expect(calls).toBe(2)
  })

  it('R21: with retries it is run again, and both are there as if one after the other', async () => {
    const { results, calls, amounts } = await writeSkew(5)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(calls).toBeGreaterThan(2)
    expect(amounts).toEqual([1, 2])
  })

  it('R21: a deadlock is run again', async () => {
    let arrived = 0
    let open!: () => void
    const bothHold = new Promise<void>((resolve) => {
      open = resolve
    })
    const lockBoth = (first: number, second: number) =>
      pool.transaction(
        async (tx) => {
          await tx.execute('update accounts set amount = amount + 1 where id = $1', [first])
          if (++arrived === 2) open()
          await bothHold
          await tx.execute('update accounts set amount = amount + 1 where id = $1', [second])
        },
        { retries: 3 },
      )
    await Promise.all([lockBoth(1, 2), lockBoth(2, 1)])
    expect(await pool.fetchVal('select sum(amount)::int from accounts')).toBe(4)
  })

  it('R21: a failure at COMMIT is run again', async () => {
    await adminQuery(
      dsn,
      `create sequence attempts;
       create function fail_once() returns trigger language plpgsql as $$ begin
         if nextval('attempts') = 1 then raise exception 'again' using errcode = '40001'; end if; return null; end $$;
       create constraint trigger fail_once after update on accounts deferrable initially deferred
         for each row execute function fail_once()`,
    )
    let updates = 0
    await pool.transaction(
      async (tx) => {
        await tx.execute('update accounts set amount = 7 where id = 1')
        updates++
      },
      { retries: 1 },
    )
    expect(updates).toBe(2)
    expect(await pool.fetchVal('select amount from accounts where id = 1')).toBe(7)
  })

  it('R21: nothing else is run again', async () => {
    let calls = 0
    const failure = pool.transaction(
      async (tx) => {
        calls++
        await tx.execute('insert into accounts values (1, 1)')
      },
      { retries: 5 },
    )
    await expect(failure).rejects.toMatchObject({ condition: 'unique_violation' })
    expect(calls).toBe(1)
  })

  it('R21: retries come to an end, with the last failure', async () => {
    let calls = 0
    const failure = pool.transaction(
      async (tx) => {
        calls++
        await tx.execute("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
      },
      { retries: 2 },
    )
    await expect(failure).rejects.toThrow(PostgresError)
    expect(calls).toBe(3)
  })

  it('R21: a connection that is lost before the ROLLBACK leaves the failure the caller’s', async () => {
    const lost = new Promise((resolve) => pool.on('close', resolve))
    let calls = 0
    const failure = pool.transaction(
      async (tx) => {
        calls++
        const processId = await tx.fetchVal('select pg_backend_pid()')
        const again = await tx
          .execute("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
          .catch((error: unknown) => error)
        await adminQuery(dsn, 'select pg_terminate_backend($1)', [processId])
        await lost
        throw again
      },
      { retries: 3 },
    )
    await expect(failure).rejects.toMatchObject({ sqlState: '40001', message: 'again' })
    expect(calls).toBe(1)
  })

  it('an abort between two runs ends them with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('left')
    const failure = pool.transaction(
      async (tx) => {
        controller.abort(reason)
        await tx.execute("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
      },
      { retries: 5, signal: controller.signal },
    )
    await expect(failure).rejects.toBe(reason)
    expect(pool.stats().leased).toBe(0)
  })

  it('role and settings hold for the transaction only, whatever they are called', async () => {
    const role = 'Ten"ant; \'x'
    await adminQuery(
      dsn,
      `do $$ begin create role "Ten""ant; 'x"; exception when unique_violation or duplicate_object then null; end $$`,
    )
    const see = `select current_user::text as role, current_setting('app.tenant', true) as tenant,
      current_setting('search_path') as path, current_setting('enable_seqscan') as seqscan,
      current_setting('statement_timeout') as timeout`
    const settings = {
      'app.tenant': "4'2",
      search_path: 'pg_catalog, public',
      enable_seqscan: false,
      statement_timeout: 9000,
    }
    const inside = await pool.transaction((tx) => tx.fetchRow(see), { role, settings })
    expect(inside).toEqual({
      role,
      tenant: "4'2",
      path: 'pg_catalog, public',
      seqscan: 'off',
      timeout: '9s',
    })
    expect(await pool.fetchRow(see)).toMatchObject({
      role: 'postgres',
      path: '"$user", public',
      timeout: '0',
    })
  })

  it('a role that does not exist is the server’s to refuse, and the callback does not run', async () => {
    let ran = false
    const failure = pool.transaction(
      () => {
        ran = true
      },
      { role: 'nobody_of_that_name' },
    )
    await expect(failure).rejects.toThrow(/nobody_of_that_name/)
    expect(ran).toBe(false)
  })

  it('R18: what makes no sense is refused by name', async () => {
    const refused: [options: object, message: RegExp][] = [
      [{ retries: -1 }, /^retries: -1/],
      [{ retries: 1.5 }, /^retries: 1.5/],
      [{ role: '' }, /^role: /],
      [{ role: 'a\0b' }, /^role: /],
      [{ role: 'none' }, /^role: 'none'/],
      [{ role: 7 }, /^role: /],
      [{ settings: 'x' }, /^settings: /],
      [{ settings: { "work_mem'": '1' } }, /^settings: "work_mem'"/],
      [{ settings: { work_mem: null } }, /^settings: work_mem: /],
      [{ settings: { work_mem: Number.NaN } }, /^settings: work_mem: /],
    ]
    for (const [options, message] of refused) {
      const failure = pool.transaction(() => {}, options)
      await expect(failure).rejects.toThrow(InterfaceError)
      await expect(failure).rejects.toThrow(message)
    }
  })
})
