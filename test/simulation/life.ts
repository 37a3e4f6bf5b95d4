import { mostAtOnce } from '../../src/pooling/deadline-queue.ts'
import { type Lease, type PoolEvents, ResourcePool } from '../../src/pooling/index.ts'
import { type Caller, Callers } from './callers.ts'
import type { SimulatedConnection } from './connection.ts'
import { SimulatedConnector } from './connector.ts'
import type { Holding } from './holding.ts'
import { Lifespan } from './lifespan.ts'
import { meddle, misbehave } from './mischief.ts'
import { Model } from './model.ts'
import { Observer } from './observer.ts'
import type { World } from './world.ts'

/** More than so many callers make a run slower, and no richer. */
const mostPending = 30

const everyEvent: readonly (keyof PoolEvents<SimulatedConnection>)[] = [
  'open',
  'close',
  'acquire',
  'release',
  'leak',
  'connectFailed',
  'warning',
]

/** One pool, those who use it, and all that may be asked of it, with the model told beforehand. */
export class Life {
  readonly world: World
  readonly model: Model
  readonly connector: SimulatedConnector
  readonly observer: Observer
  readonly callers: Callers
  readonly pool: ResourcePool<SimulatedConnection>
  readonly span: Lifespan
  /** How deep within calls of the pool's we are. */
  depth = 0
  /** With their lease, not given back yet. */
  readonly #held: Holding[] = []
  readonly #past: Lease<SimulatedConnection>[] = []

  constructor(world: World) {
    this.world = world
    this.model = new Model(world)
    this.observer = new Observer(world, this.model, (call) => meddle(this, call, world.plan.reentry))
    this.connector = new SimulatedConnector(world, this.model, this.observer)
    const environment = { clock: world.clock, random: () => world.random.next() }
    this.pool = new ResourcePool(this.connector, world.settings, environment)
    this.callers = new Callers(
      world,
      this.model,
      this.pool,
      (caller, lease) => this.#served(caller, lease),
      (caller, lease) => this.#shares(caller, lease),
    )
    this.span = new Lifespan(world, this.model, this.pool)
    this.observer.callers = this.callers
    this.observer.observe(this.pool)
    for (const event of everyEvent) this.pool.on(event, () => misbehave(this, event))
    this.pool.on('acquire', () => this.#leaveLate())
  }

  get held(): number {
    return this.#held.length
  }

  acquire(): void {
    const { random, plan } = this.world
    if (this.callers.pending.size >= mostPending) return
    const hasSignal = !plan.hasMuteCallers || random.chance(0.5)
    // Those with one time-out stand in one line: of lines, too, there have to be many.
    const any = random.between(1, 1_000)
    const timeout = random.pick([
      undefined,
      undefined,
      0,
      1,
      30,
      any,
      any,
      20_000,
      random.chance(0.1) ? -1 : 5,
    ])
    const isAborted = random.chance(0.02)
    const joins = random.chance(plan.joining)
    const caller = this.callers.acquire({ timeout, hasSignal, isAborted, joins })
    if (random.chance(0.04)) queueMicrotask(() => this.callers.abort(caller))
  }

  /** More come at once than are told in one turn that their time is over. */
  crowd(): void {
    const { random, plan } = this.world
    if (this.callers.pending.size >= mostPending) return
    const timeout = random.pick([1, 20, 300])
    for (let i = random.between(mostAtOnce + 1, 2 * mostAtOnce + 1); i > 0; i--) {
      this.callers.acquire({
        timeout,
        hasSignal: !plan.hasMuteCallers,
        isAborted: false,
        joins: random.chance(plan.joining),
      })
    }
  }

  tryAcquire(): void {
    this.callers.tryAcquire()
  }

  /** Somebody who holds a connection has others share it, as long as those at the head of the queue want to. */
  share(): void {
    const { random } = this.world
    const alive = this.#held.filter(({ connection }) => !connection.isDead && !connection.isEnded)
    if (alive.length === 0) return
    const holding = random.pick(alive)
    while (this.callers.share(holding) && random.chance(0.7));
  }

  /** One of those who wait leaves. */
  abort(): void {
    const { pending } = this.callers
    if (pending.size === 0) return
    const caller = this.world.random.pick([...pending.values()])
    for (const { caller: chosen, state } of this.model.taken) {
      if (chosen === caller && state === 'preparing') this.world.coverage.hit(state, 'callerLeft')
    }
    this.callers.abort(caller)
  }

  release(): void {
    const held = this.#held
    if (held.length === 0) return
    const place = this.world.random.below(held.length)
    const holding = held[place]!
    if (holding.sharers > 0) {
      this.world.log('done sharing', holding.number)
      holding.sharers--
      return
    }
    if (holding.arriving > 0) return
    held[place] = held.at(-1)!
    held.pop()
    this.#release(holding)
  }

  releaseAll(): void {
    for (const holding of this.#held.splice(0)) this.#release(holding)
  }

  /** Somebody releases once more what may be another's by now. */
  releaseAgain(): void {
    if (this.#past.length === 0) return
    const lease = this.world.random.pick(this.#past)
    this.world.log('release again', lease.number)
    this.model.hit(lease.connection, 'releasedAgain')
    lease.release()
  }

  /** Somebody runs commands and leaves session state behind. */
  use(): void {
    const { random } = this.world
    if (this.#held.length === 0) return
    const { connection, number } = random.pick(this.#held)
    connection.commands += random.between(1, 3)
    connection.tag = number
  }

  endByUser(): void {
    if (this.#held.length === 0) return
    const { connection } = this.world.random.pick(this.#held)
    this.world.log('ended by its user', connection.id)
    this.world.coverage.fault('connection closed by its user')
    connection.isEnded = true
  }

  /** A connection dies, in whatever state. */
  die(): void {
    const victim = this.#anyOpen()
    if (victim === undefined) return
    this.world.coverage.fault('connection lost')
    this.connector.die(victim)
  }

  /** A connection is dead, and nobody is told. */
  silence(): void {
    const victim = this.#anyOpen()
    if (victim === undefined) return
    this.world.log('silent', victim.id)
    this.world.coverage.fault('connection silent')
    victim.isSilent = true
  }

  /** The server drops all its connections and takes none. */
  outage(): void {
    const { random, coverage } = this.world
    this.world.log('outage')
    coverage.fault('server away')
    this.world.isAway = true
    const tells = random.chance(0.7)
    for (const connection of [...this.model.taken]) {
      if (connection.state === 'connecting') continue
      if (tells) this.connector.die(connection)
      else connection.isSilent = true
    }
  }

  recovery(): void {
    this.world.isAway = false
  }

  stall(): void {
    const ms = this.world.random.pick([1, 50, 1_000, 10_000, 3_600_000])
    this.world.log('stall', ms)
    this.world.coverage.fault('event loop stalled')
    this.model.hitAll('stall')
    this.world.clock.stall(ms)
    this.model.aboveFloorSince = undefined
  }

  expire(): void {
    this.world.log('expire')
    this.model.hitAll('expire')
    this.model.generation++
    this.pool.expire()
  }

  resize(): void {
    const { random } = this.world
    const maxSize = random.between(1, 8)
    const minSize = random.between(0, maxSize)
    this.world.log('resize', minSize, maxSize)
    this.model.hitAll(maxSize < this.model.maxSize ? 'resizeDown' : 'resizeUp')
    this.model.resize(minSize, maxSize)
    this.pool.resize({ minSize, maxSize })
  }

  suspend(): void {
    this.world.log('suspend')
    this.model.hitAll('suspend')
    const { phase } = this.model
    if (phase === 'new' || phase === 'open') this.model.phase = 'suspended'
    this.pool.suspend()
  }

  resume(): void {
    this.world.log('resume')
    this.model.hitAll('resume')
    if (this.model.phase === 'suspended') this.model.phase = 'open'
    this.pool.resume()
  }

  distrust(): void {
    this.world.log('distrust')
    this.model.hitAll('distrust')
    for (const connection of this.model.taken) {
      if (connection.state === 'idle') connection.provenAt = Number.NEGATIVE_INFINITY
    }
    this.pool.distrust()
  }

  open(): void {
    this.span.open()
  }

  close(): void {
    this.span.close(this.world.random.pick([0, 0, 0, 1, 200, 10_000]))
  }

  terminate(): void {
    this.span.terminate()
  }

  #anyOpen(): SimulatedConnection | undefined {
    const { taken } = this.model
    return taken.size === 0 ? undefined : this.world.random.pick([...taken])
  }

  #release(holding: Holding): void {
    const { world, model } = this
    const { connection, lease, number } = holding
    world.log('release', number)
    const { maxQueries } = world.settings
    if (connection.holding === holding) connection.holding = undefined
    if (maxQueries > 0 && connection.commands >= maxQueries) connection.isWorn = true
    model.hit(connection, connection.isDead ? 'releasedAfterLoss' : 'released')
    holding.isReleased = true
    this.#past.push(lease!)
    if (this.#past.length > 8) this.#past.shift()
    lease!.release()
  }

  #served(caller: Caller, lease: Lease<SimulatedConnection>): void {
    const holding = this.observer.holdings.get(lease.number)
    if (holding === undefined || holding.caller !== caller || holding.connection !== lease.connection) {
      this.world.violate('I3', `lease ${lease.number} is not what its event told`)
      return
    }
    holding.lease = lease
    this.#held.push(holding)
    if (this.world.random.chance(0.05)) this.release()
  }

  #shares(caller: Caller, lease: Lease<SimulatedConnection>): void {
    const holding = this.observer.holdings.get(lease.number)
    if (holding === undefined || holding.lease !== lease || holding.arriving === 0) {
      this.world.violate('R16', `caller ${caller.id} shares lease ${lease.number}, which nobody shares`)
      return
    }
    if (caller.shares !== undefined && caller.shares !== holding) {
      this.world.violate(
        'R16',
        `caller ${caller.id} shares lease ${lease.number}, not ${caller.shares.number}`,
      )
    }
    holding.arriving--
    holding.sharers++
  }

  /** An abort between the hand-out and the caller's hearing of it comes too late. */
  #leaveLate(): void {
    const { isCalm, random } = this.world
    if (isCalm || !random.chance(0.02)) return
    for (const caller of this.callers.pending.values()) {
      if (caller.number !== undefined) this.callers.abort(caller)
    }
  }
}
