import { Random } from '../../pool/support/tenants.ts'
import { Lag } from '../clock.ts'
import type { Deed, LoadOrder } from '../messages.ts'
import { listeningPools, type PoolName, poolNames, poolPlans, workingPools } from '../pool-plans.ts'
import { Guard } from './guard.ts'
import { describe } from './judge.ts'
import { tell, violate } from './link.ts'
import { NotificationLine } from './notifications.ts'
import { Pools } from './pools.ts'
import { RecoveryWatch } from './recovery.ts'
import { keepSampling, takeSample, whatIsLeft } from './resources.ts'
import { Tally } from './tally.ts'
import { Weather } from './weather.ts'
import { work } from './worker.ts'

type Start = LoadOrder & { kind: 'start' }

/** The process that uses pools as their users do, and looks whether they keep their word. */
class Load {
  readonly #tally = new Tally()
  readonly #weather = new Weather()
  readonly #lag = new Lag()
  readonly #pools: Pools
  readonly #guard: Guard
  readonly #recovery: RecoveryWatch
  readonly #lines: NotificationLine[]
  readonly #work: Promise<unknown>
  readonly #stopSampling: () => void
  #isOver = false
  #deeds: Promise<void> = Promise.resolve()

  constructor({ targets, seed, sampleEvery }: Start) {
    this.#pools = new Pools(targets, this.#tally)
    this.#guard = new Guard(this.#pools, this.#weather, () => this.#lag.lost)
    this.#recovery = new RecoveryWatch(this.#pools, this.#lag)
    this.#lines = listeningPools.map((name, i) => this.#line(name, workingPools[i]!, seed + i))
    this.#work = Promise.all([...this.#workers(seed), ...this.#lines.map((line) => line.run())])
    this.#stopSampling = keepSampling(sampleEvery)
    this.#weather.calm(0)
  }

  follow(order: LoadOrder): void {
    switch (order.kind) {
      case 'storm':
        this.#weather.storm()
        break
      case 'calm':
        this.#weather.calm(order.calmIn)
        break
      case 'watch':
        this.#recovery.start(order.id)
        break
      case 'do':
        this.#deeds = this.#deeds.then(() => this.#do(order.deed))
        break
      case 'finish':
        void this.#finish()
    }
  }

  #workers(seed: number): Promise<void>[] {
    const owners = new Map(poolNames.map((name) => [name, new Map<number, string>()]))
    const place = {
      pools: this.#pools,
      tally: this.#tally,
      weather: this.#weather,
      guard: this.#guard,
      recovery: this.#recovery,
      lag: this.#lag,
      owners,
      isOver: () => this.#isOver,
    }
    const places = workingPools.flatMap((name) =>
      Array.from<PoolName>({ length: poolPlans[name].workers }).fill(name),
    )
    return places.map((name, i) => work(place, name, seed + 1_000 + i))
  }

  #line(listener: PoolName, sender: PoolName, seed: number): NotificationLine {
    return new NotificationLine({
      channel: `news of ${listener}`,
      listener: () => this.#pools.get(listener),
      sender: () => this.#pools.get(sender),
      random: new Random(seed),
      tally: this.#tally,
      weather: this.#weather,
    })
  }

  async #do(deed: Deed): Promise<void> {
    const pools = this.#pools.all().map(([, pool]) => pool)
    switch (deed.act) {
      case 'expire':
        for (const pool of pools) pool.expireConnections()
        return
      case 'suspend':
        this.#guard.suspended = true
        for (const pool of pools) pool.suspend()
        return
      case 'resume':
        for (const pool of pools) pool.resume()
        this.#guard.suspended = false
        return
      case 'shrink':
        for (const pool of pools)
          pool.resize({ minSize: Math.min(1, pool.minSize), maxSize: Math.ceil(pool.maxSize / 3) })
        return
      case 'grow':
        for (const [name, pool] of this.#pools.all()) {
          const { minSize, maxSize } = poolPlans[name].options
          pool.resize({ minSize, maxSize })
        }
        return
      case 'stall': {
        const end = performance.now() + deed.ms
        while (performance.now() < end);
        return
      }
      case 'replace':
        for (const name of ['lean', 'proxied'] as const) await this.#pools.replace(name, deed.by)
    }
  }

  async #finish(): Promise<void> {
    this.#isOver = true
    for (const line of this.#lines) line.stop()
    await this.#work
    await this.#deeds
    this.#guard.stop()
    this.#recovery.stop()
    this.#stopSampling()
    await this.#pools.close()
    this.#lag.stop()
    this.#tally.stop()
    // What is closed is gone within this turn.
    await new Promise((resolve) => setImmediate(resolve))
    tell({ kind: 'finished', left: whatIsLeft(), sample: takeSample() })
    process.off('disconnect', exit)
    process.disconnect()
  }
}

const exit = () => process.exit()
// The main process ends this one, and none of it stays without that.
process.on('disconnect', exit)
process.on('SIGINT', () => {})
process.on('uncaughtException', (error, origin) => violate('I8', `${origin}: ${describe(error)}`))

let load: Load | undefined
process.on('message', (order: LoadOrder) => {
  if (order.kind === 'start') load = new Load(order)
  else load?.follow(order)
})
