import { PoolTimeoutError } from '../../src/errors.ts'
import type { PoolEvents, ResourcePool } from '../../src/pooling/index.ts'
import type { Callers } from './callers.ts'
import type { SimulatedConnection } from './connection.ts'
import type { ConnectorWatch } from './connector.ts'
import type { SlotEvent } from './coverage.ts'
import { Holding } from './holding.ts'
import { type Model, tolerance } from './model.ts'
import type { Call } from './plan.ts'
import { SimulatedError, type World } from './world.ts'

type Event<E extends keyof PoolEvents<SimulatedConnection>> = PoolEvents<SimulatedConnection>[E]

/** States from which nothing may be handed out. */
const ended: ReadonlySet<string> = new Set(['closing', 'terminating', 'gone'])
const timedOut: Record<string, SlotEvent> = {
  checkFailed: 'checkTimedOut',
  prepareFailed: 'prepareTimedOut',
  resetFailed: 'resetTimedOut',
}

/** Hears the pool's events and judges each hand-out in the turn in which it happens. */
export class Observer implements ConnectorWatch {
  /** The hand-outs that were not given back. */
  readonly holdings = new Map<number, Holding>()
  acquired = 0
  callers!: Callers
  readonly #world: World
  readonly #model: Model
  readonly #within: (call: Call) => void
  #lastNumber = 0

  constructor(world: World, model: Model, within: (call: Call) => void) {
    this.#world = world
    this.#model = model
    this.#within = within
  }

  /** Has to come before every other listener: the model has to know first. */
  observe(pool: ResourcePool<SimulatedConnection>): void {
    pool.on('open', (event) => this.#opened(event))
    pool.on('close', (event) => this.#closed(event))
    pool.on('acquire', (event) => this.#acquired(event))
    pool.on('release', (event) => this.#released(event))
    pool.on('leak', (event) => this.#leaked(event))
    pool.on('connectFailed', ({ error, permanent, retryIn }) => {
      this.#world.log('event connectFailed', permanent ? 1 : 0, Math.round(retryIn))
      this.#model.failed(retryIn)
      this.#model.noteFailure(error)
      const { first } = this.callers
      if (permanent && first !== undefined && !this.#world.plan.hasMuteCallers) first.hasFailed = true
    })
    pool.on('warning', ({ message, error }) => {
      this.#world.log('event warning', message)
      if (message.startsWith('a connect did not end')) this.#model.giveUp('connecting')
      if (message.startsWith('a connection could not be terminated') && error instanceof PoolTimeoutError) {
        this.#model.giveUp('terminating')
      }
      const isExpected =
        error === undefined || error instanceof PoolTimeoutError || error instanceof SimulatedError
      if (!isExpected) this.#world.violate('I8', `${message}: ${error}`)
      if (message.includes("'warning'")) this.#world.violate('I8', `a warning of a warning: ${message}`)
    })
  }

  within(call: Call): void {
    this.#within(call)
  }

  queued(): number | undefined {
    if (this.#world.plan.hasMuteCallers) return undefined
    let queued = 0
    for (const caller of this.callers.pending.values()) if (caller.isQueued && !caller.isChosen) queued++
    return queued
  }

  chosen(connection: SimulatedConnection): void {
    const caller = this.callers.first
    this.#judge(connection)
    connection.isFit = false
    connection.caller = caller
    if (caller !== undefined) {
      caller.isChosen = true
      this.callers.highestServed = Math.max(this.callers.highestServed, caller.id)
    }
  }

  #opened({ connection }: Event<'open'>): void {
    this.#world.log('event open', connection.id)
    if (connection.state !== 'connecting' || connection.openedAt >= 0) {
      this.#world.violate('R4', `connection ${connection.id} is opened while ${connection.state}`)
    }
    this.#model.succeeded(connection)
  }

  #closed({ connection, reason, error }: Event<'close'>): void {
    const world = this.#world
    const model = this.#model
    world.log('event close', connection.id, reason)
    if (connection.closeReason !== undefined) {
      world.violate('R6', `connection ${connection.id} is closed for ${reason} and ${connection.closeReason}`)
    }
    connection.closeReason = reason
    world.coverage.hit(connection.leftFrom, `retired: ${reason}`)
    if (error instanceof PoolTimeoutError && timedOut[reason] !== undefined) {
      world.coverage.hit(connection.leftFrom, timedOut[reason])
    }
    this.#judgeClose(connection, reason)
    model.left(connection, reason)
  }

  /** Whether the reason is one, as far as it can be told from outside. */
  #judgeClose(connection: SimulatedConnection, reason: string): void {
    const { settings, clock } = this.#world
    const { id } = connection
    const now = clock.now()
    const isTrue = () => {
      switch (reason) {
        case 'idle': {
          const idleFor = now - connection.usedAt + tolerance
          return idleFor >= settings.maxInactiveConnectionLifetime && connection.wasAboveFloor
        }
        case 'maxLifetime':
          return now - connection.openedAt >= 0.9 * settings.maxLifetime - tolerance
        case 'maxQueries':
          return connection.commands >= settings.maxQueries
        case 'expired':
          return connection.generation < this.#model.generation
        case 'resized':
          return connection.wasAboveMost
        case 'byUser':
          return connection.isEnded
        case 'lost':
          return connection.isDead
        default:
          return true
      }
    }
    if (!isTrue()) this.#world.violate('R2', `connection ${id} is closed for '${reason}', which is not so`)
  }

  #acquired({ connection, number, holder, waited }: Event<'acquire'>): void {
    const world = this.#world
    const model = this.#model
    world.log('event acquire', connection.id, number)
    this.acquired++
    model.hit(connection, 'handedOut')
    if (number <= this.#lastNumber) world.violate('I3', `lease ${number} comes after ${this.#lastNumber}`)
    this.#lastNumber = number
    if (connection.state === 'preparing') {
      if (connection.caller?.id !== Number(holder) && !world.plan.hasMuteCallers) {
        world.violate('I7', `connection ${connection.id} was prepared for another caller than ${holder}`)
      }
      this.#judgeOwner(connection)
    } else {
      if (world.plan.hasPrepare)
        world.violate('R11', `connection ${connection.id} is handed out without setup`)
      this.#judge(connection)
    }
    const caller = this.callers.handedOut(Number(holder), number)
    connection.caller = undefined
    if (caller === undefined) return
    if (caller.isLate) world.violate('R13', `caller ${caller.id}, who came after the end, is served`)
    const now = world.clock.now()
    if (Math.abs(now - caller.since - waited) > tolerance) {
      world.violate('I2', `caller ${caller.id} waited for ${now - caller.since} ms, not ${waited}`)
    }
    const holding = new Holding(number, connection, caller, now)
    this.holdings.set(number, holding)
    connection.holding = holding
    connection.wasLeased = true
    connection.isFit = false
    model.move(connection, 'leased')
  }

  #judgeOwner(connection: SimulatedConnection): void {
    const { id, state } = connection
    const world = this.#world
    if (connection.holding !== undefined) {
      world.violate('I3', `connection ${id} has its owner ${connection.holding.number} and gets another`)
    }
    if (ended.has(state)) world.violate('I3', `connection ${id} is handed out while ${state}`)
    if (connection.isDead) world.violate('R14', `connection ${id} is handed out though it is lost`)
    if (connection.isEnded) world.violate('R6', `connection ${id} is handed out though its user closed it`)
    if (connection.tag !== 0) {
      world.violate('I6', `connection ${id} is handed out with the session state of lease ${connection.tag}`)
    }
  }

  /** Whether `connection` may be chosen for somebody now. */
  #judge(connection: SimulatedConnection): void {
    const world = this.#world
    const { settings } = world
    const { id, state } = connection
    const { phase, generation } = this.#model
    this.#judgeOwner(connection)
    const now = world.clock.now()
    if (!connection.isFit) world.violate('R7', `connection ${id} is chosen while ${state}, not reset`)
    if (connection.isWorn) world.violate('R9', `connection ${id} is chosen after its last command`)
    if (connection.generation !== generation)
      world.violate('R12', `connection ${id} is chosen though expired`)
    if (settings.maxLifetime > 0 && now - connection.openedAt > 1.1 * settings.maxLifetime + tolerance) {
      world.violate('R10', `connection ${id} is chosen after its lifetime`)
    }
    if (phase !== 'open' && phase !== 'closing') world.violate('R13', `a hand-out while the pool is ${phase}`)
    if (state !== 'idle') return
    this.#model.judgeOrder(connection)
    const { checkIdleAfter } = settings
    if (checkIdleAfter === 0) return
    const silentFor = now - connection.provenAt
    if (checkIdleAfter === 'always' || silentFor > checkIdleAfter) {
      world.violate('R15', `connection ${id}, silent for ${silentFor} ms, is chosen unchecked`)
    }
  }

  #released({ connection, number, held }: Event<'release'>): void {
    const world = this.#world
    world.log('event release', connection.id, number)
    const holding = this.holdings.get(number)
    if (holding === undefined || !holding.isReleased) {
      world.violate('R6', `lease ${number} ends though its owner has not released it`)
      return
    }
    this.holdings.delete(number)
    if (Math.abs(world.clock.now() - holding.since - held) > tolerance) {
      world.violate('R6', `lease ${number} was held for ${held} ms, says its event`)
    }
  }

  #leaked({ number, held, returned }: Event<'leak'>): void {
    const world = this.#world
    world.log('event leak', number, returned ? 1 : 0)
    const { leakThreshold } = world.settings
    const holding = this.holdings.get(number)
    if (leakThreshold === 0 || held < leakThreshold - tolerance) world.violate('R17', `a leak of ${held} ms`)
    if (holding === undefined || holding.isReported !== returned || holding.isReleased !== returned) {
      world.violate('R17', `lease ${number} is reported out of turn`)
    } else {
      holding.isReported = true
    }
  }
}
