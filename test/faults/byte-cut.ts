import { expect } from 'vitest'
import { connect, Pool, RockpoolError } from '../../src/index.ts'
import { FaultProxy, type ProxiedConnection } from '../../src/testing/index.ts'
import { adminQuery, backends, freshDatabase } from '../support/servers.ts'
import type { TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

/** How a connection fails at a byte: by RST, or by silence from there on, in the byte's direction or in both. */
export type Kind = 'reset' | 'silent one way' | 'silent both ways'
export type Way = 'toServer' | 'toClient'

export interface Cut {
  kind: Kind
  way: Way
  /** How many bytes pass before it. */
  at: number
}

/** What writes through the proxy: one connection, or a pool, which may connect again. */
export type Client = 'connection' | 'pool'

/** Long enough for a healthy server, and short, as a silent one is waited for each time. */
const limits = { connectTimeout: 400, commandTimeout: 250, cancelTimeout: 150, closeTimeout: 150 } as const

/** How long a call may take in all, with room for a busy machine: the sum of the limits is below a second. */
const bound = 15_000

const ledgerTable = 'create table ledger (id int4 not null)'

/** What a run came to; `fits` says how often its row may be in the ledger. */
interface Entry {
  id: number
  what: string
  fits: readonly number[]
}

/**
 * Writes one row through a connection that is cut at a byte, many times: connect, BEGIN, INSERT, COMMIT. Each run has an
 * id of its own in the ledger, which is read when every run is over and the server has ended every session.
 */
export class Runs {
  readonly #dsn: string
  readonly #server: TestServer
  readonly #entries: Entry[] = []
  #ids = 0
  /** How many ended well, and how many by an error. */
  readonly tally = { acknowledged: 0, failed: 0 }

  private constructor(server: TestServer, dsn: string) {
    this.#server = server
    this.#dsn = dsn
  }

  static async on(server: TestServer): Promise<Runs> {
    const dsn = await freshDatabase(server)
    await adminQuery(dsn, ledgerTable)
    return new Runs(server, dsn)
  }

  /** How many bytes pass each way until COMMIT is acknowledged, where nothing is cut. */
  async lengths(): Promise<Record<Way, number>> {
    return this.#withProxy(async (proxy) => {
      const next = proxy.nextConnection()
      const connection = await connect(proxy.through(this.#dsn), { ...limits, ssl: false })
      const { toServer, toClient } = await next
      await connection.transaction((tx) => tx.execute(insert, [this.#nextId()]))
      const lengths = { toServer: toServer.bytesPassed, toClient: toClient.bytesPassed }
      await connection.close()
      return lengths
    })
  }

  /** One run for each cut, `lanes` at a time. */
  async each(client: Client, cuts: readonly Cut[], lanes: number): Promise<void> {
    const queue = cuts.values()
    const lane = () =>
      this.#withProxy(async (proxy) => {
        for (const cut of queue) await this.#run(client, cut, proxy)
      })
    await Promise.all(Array.from({ length: lanes }, lane))
  }

  /** Compares the ledger with what the runs were told. */
  async settle(): Promise<void> {
    const isQuiet = async () => (await backends(this.#dsn)).length === 0
    await until('the server has ended every session', isQuiet, 30_000)
    const rows = await adminQuery<{ id: number; times: number }>(
      this.#dsn,
      'select id, count(*)::int4 as times from ledger group by id',
    )
    const times = new Map(rows.map((row) => [row.id, row.times]))
    const wrong = this.#entries.filter(({ id, fits }) => !fits.includes(times.get(id) ?? 0))
    expect(wrong.map(({ id, what }) => `${what}, and is there ${times.get(id) ?? 0} times`)).toEqual([])
  }

  async #run(client: Client, cut: Cut, proxy: FaultProxy): Promise<void> {
    const id = this.#nextId()
    const stop = proxy.onConnection((connection) => {
      stop()
      connection[cut.way].at(cut.at, (cutHere) => fail(cutHere, cut))
    })
    const where = `${client}, ${cut.kind} ${cut.way} after ${cut.at} bytes`
    const start = performance.now()
    let isInserted = false
    const write = client === 'pool' ? throughPool : throughConnection
    const error = await write(proxy.through(this.#dsn), id, () => {
      isInserted = true
    })
    const took = performance.now() - start
    expect(took, where).toBeLessThan(bound)
    stop()
    proxy.reset()
    if (error === undefined) this.tally.acknowledged++
    else this.tally.failed++
    this.#entries.push({ id, what: `${where}: ${told(error, where)}`, fits: fitting(error, isInserted) })
  }

  async #withProxy<T>(work: (proxy: FaultProxy) => Promise<T>): Promise<T> {
    const proxy = await FaultProxy.start({ host: this.#server.host, port: this.#server.port })
    try {
      return await work(proxy)
    } finally {
      await proxy.close()
    }
  }

  #nextId(): number {
    return ++this.#ids
  }
}

const insert = 'insert into ledger values ($1)'

function fail(connection: ProxiedConnection, { kind, way }: Cut): void {
  if (kind === 'reset') connection.reset()
  else if (kind === 'silent one way') connection[way].hold()
  else connection.hold()
}

/** Gives the error, or `undefined` where the COMMIT was acknowledged. */
async function throughConnection(dsn: string, id: number, inserted: () => void): Promise<unknown> {
  let connection: Awaited<ReturnType<typeof connect>> | undefined
  try {
    connection = await connect(dsn, { ...limits, ssl: false })
    await connection.transaction(async (tx) => {
      await tx.execute(insert, [id])
      inserted()
    })
    return undefined
  } catch (error) {
    return error
  } finally {
    await connection?.terminate()
  }
}

/** As above; the pool must work afterwards. */
async function throughPool(dsn: string, id: number, inserted: () => void): Promise<unknown> {
  const pool = new Pool(dsn, { ...limits, ssl: false, maxSize: 1, acquireTimeout: bound })
  const transaction = pool.transaction(async (tx) => {
    await tx.execute(insert, [id])
    inserted()
  })
  try {
    return await transaction.then(
      () => undefined,
      (error: unknown) => error,
    )
  } finally {
    expect(await pool.fetchVal('select 7', [], { timeout: bound })).toBe(7)
    await pool.terminate()
  }
}

function told(error: unknown, where: string): string {
  if (error === undefined) return 'the write was acknowledged'
  expect(error, where).toBeInstanceOf(RockpoolError)
  const { name, message, outcome } = error as RockpoolError
  expect(message, where).not.toBe('')
  return `the write failed by ${name} (${outcome ?? 'without an outcome'}): ${message}`
}

/** How often a row may be there, by what its writer was told: what fails before COMMIT must leave nothing. */
function fitting(error: unknown, isInserted: boolean): readonly number[] {
  if (error === undefined) return [1]
  if (!isInserted) return [0]
  switch ((error as RockpoolError).outcome) {
    case 'unknown':
      return [0, 1]
    case 'executed':
      return [1]
    default:
      return [0]
  }
}

/** Every byte of both ways: the one after the last, too, is a place to be cut. */
export function everyByte(kind: Kind, lengths: Record<Way, number>): Cut[] {
  return (['toServer', 'toClient'] as const).flatMap((way) =>
    Array.from({ length: lengths[way] + 1 }, (_, at) => ({ kind, way, at })),
  )
}
