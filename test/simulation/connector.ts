import type { Connector } from '../../src/pooling/index.ts'
import type { SimulatedConnection } from './connection.ts'
import type { Model } from './model.ts'
import type { Call, Fate } from './plan.ts'
import { SimulatedError, type World } from './world.ts'

/** What the connector tells whoever watches the hand-outs. */
export interface ConnectorWatch {
  /** A connection was chosen for whoever waits longest. */
  chosen(connection: SimulatedConnection): void
  /** How many are in the queue; undefined where that cannot be told from outside. */
  queued(): number | undefined
  /** A call is being made: somebody may use the pool from within. */
  within(call: Call): void
}

/** A connector without a server: how each call goes, and how long it takes, is drawn. */
export class SimulatedConnector implements Connector<SimulatedConnection> {
  /** Set where the pool has a `setup` hook. */
  readonly prepare?: (connection: SimulatedConnection) => Promise<void>
  readonly #world: World
  readonly #model: Model
  readonly #watch: ConnectorWatch

  constructor(world: World, model: Model, watch: ConnectorWatch) {
    this.#world = world
    this.#model = model
    this.#watch = watch
    if (world.plan.hasPrepare) this.prepare = (connection) => this.#prepare(connection)
  }

  connect(lost: (error: Error) => void, signal: AbortSignal): Promise<SimulatedConnection> {
    const world = this.#world
    const model = this.#model
    const connection = model.begin(lost, this.#watch.queued())
    world.log('connect', connection.id)
    this.#watch.within('connect')
    const fate = this.#draw('connect', connection)
    const isPermanent = world.random.chance(world.plan.permanent) && !world.isCalm
    let isOver = false
    /** Whether it ends now; only the first end counts. */
    const end = (isGood: boolean): boolean => {
      if (isOver) return false
      isOver = true
      world.log(isGood ? 'connected' : 'connect failed', connection.id)
      if (isGood) {
        model.hit(connection, 'connected')
        if (connection.state === 'gone') model.strays.add(connection)
      } else {
        model.hit(connection, isPermanent ? 'connectRefused' : 'connectFailed')
        if (connection.state === 'connecting') model.move(connection, 'gone')
      }
      return true
    }
    const failure = () => new SimulatedError(`connect ${connection.id} failed`, isPermanent)
    if (fate === 'throwing') {
      end(false)
      throw failure()
    }
    return new Promise((resolve, reject) => {
      const open = () => {
        if (!end(true)) return
        this.#mayDieYoung(connection)
        resolve(connection)
      }
      const fail = (error: unknown) => {
        if (end(false)) reject(error)
      }
      const aborted = () => {
        model.hit(connection, 'connectAborted')
        connection.isAborted = true
        model.limit(connection)
        this.#onAbort(open, () => fail(signal.reason))
      }
      if (signal.aborted) aborted()
      else signal.addEventListener('abort', aborted, { once: true })
      this.#play(fate, open, () => fail(failure()))
    })
  }

  isPermanent(error: unknown): boolean {
    return error instanceof SimulatedError && error.isPermanent
  }

  check(connection: SimulatedConnection): Promise<void> {
    this.#model.hit(connection, 'checkBegun')
    this.#model.judgeOrder(connection)
    const { checkIdleAfter } = this.#world.settings
    const silentFor = this.#world.clock.now() - connection.provenAt
    if (checkIdleAfter !== 'always' && silentFor <= checkIdleAfter) {
      this.#world.violate('R15', `connection ${connection.id} is checked after ${silentFor} ms`)
    }
    const queued = this.#watch.queued()
    if (queued !== undefined && queued <= this.#model.counts.checking) {
      this.#world.violate('R15', `connection ${connection.id} is checked for nobody`)
    }
    this.#model.move(connection, 'checking')
    return this.#call('check', connection, (isGood) => {
      this.#model.hit(connection, isGood ? 'checkOk' : 'checkFailed')
      if (isGood) connection.provenAt = this.#world.clock.now()
    })
  }

  isEnded(connection: SimulatedConnection): boolean {
    return connection.isEnded
  }

  reset(connection: SimulatedConnection): Promise<void> | undefined {
    const world = this.#world
    const model = this.#model
    const { state } = connection
    const now = world.clock.now()
    connection.usedAt = now
    connection.provenAt = now
    if (state !== 'leased' && state !== 'preparing') {
      world.violate('R7', `connection ${connection.id} is reset while ${state}`)
    }
    if (model.phase === 'closing' && world.clock.now() < model.closeBy && this.#watch.queued() === 0) {
      world.violate('R13', `connection ${connection.id} is reset for nobody`)
    }
    if (world.random.chance(world.plan.instantResets) && !connection.isDead && !connection.isSilent) {
      model.hit(connection, 'resetNothing')
      this.#cleaned(connection)
      return undefined
    }
    try {
      return this.#call('reset', connection, (isGood) => {
        model.hit(connection, isGood ? 'resetOk' : 'resetFailed')
        if (!isGood) return
        connection.provenAt = world.clock.now()
        this.#cleaned(connection)
      })
    } finally {
      if (connection.state === state) model.move(connection, 'resetting')
    }
  }

  rest(connection: SimulatedConnection, isIdle: boolean): void {
    const world = this.#world
    if (!isIdle) return
    world.log('idle', connection.id)
    this.#model.hit(connection, 'rested')
    if (connection.isDead) world.violate('R14', `connection ${connection.id} is idle though it is lost`)
    if (!connection.isFit) world.violate('R7', `connection ${connection.id} is idle though it was not reset`)
    this.#model.rest(connection)
  }

  commands(connection: SimulatedConnection): number {
    return connection.commands
  }

  close(connection: SimulatedConnection): Promise<void> {
    const model = this.#model
    const { state } = connection
    if (state === 'closing' || state === 'terminating' || state === 'gone') {
      this.#world.violate('R6', `connection ${connection.id} is closed while ${state}`)
    }
    if (connection.isBusy) {
      this.#world.violate('R11', `connection ${connection.id} is told goodbye behind a call that hangs`)
    }
    model.move(connection, 'closing')
    return this.#call('close', connection, (isGood) => {
      model.hit(connection, isGood ? 'closeOk' : 'closeFailed')
      if (!isGood) return
      if (connection.state === 'closing') model.move(connection, 'gone')
    })
  }

  terminate(connection: SimulatedConnection): Promise<void> {
    const world = this.#world
    const model = this.#model
    const { state } = connection
    if (state === 'terminating') {
      world.violate('R6', `connection ${connection.id} is terminated twice`)
    }
    const { closeTimeout } = world.settings
    const isOverdue = closeTimeout > 0 && world.clock.now() - connection.since >= closeTimeout
    if (state === 'closing' && isOverdue) model.hit(connection, 'closeTimedOut')
    // One that comes after its connect was given up has no slot.
    if (!model.strays.delete(connection)) {
      // In the turn of its end the pool may not know of it yet.
      if (state === 'gone' && connection.since < world.clock.now()) {
        world.violate('R6', `connection ${connection.id} is terminated though it is gone`)
      }
      model.move(connection, 'terminating')
      model.limit(connection)
    }
    return this.#call('terminate', connection, (isGood) => {
      model.hit(connection, isGood ? 'terminateOk' : 'terminateFailed')
      if (connection.state === 'terminating') model.move(connection, 'gone')
    })
  }

  #prepare(connection: SimulatedConnection): Promise<void> {
    this.#model.hit(connection, 'prepareBegun')
    this.#watch.chosen(connection)
    this.#model.move(connection, 'preparing')
    return this.#call('prepare', connection, (isGood) => {
      this.#model.hit(connection, isGood ? 'prepareOk' : 'prepareFailed')
      connection.commands += this.#world.random.below(2)
    })
  }

  #cleaned(connection: SimulatedConnection): void {
    connection.tag = 0
    connection.isFit = true
  }

  #call(call: Call, connection: SimulatedConnection, ended: (isGood: boolean) => void): Promise<void> {
    const world = this.#world
    world.log(call, connection.id)
    this.#watch.within(call)
    connection.isBusy = call === 'prepare' || call === 'reset'
    const fate = this.#draw(call, connection)
    const failure = () => new SimulatedError(`${call} ${connection.id} failed`)
    const end = (isGood: boolean) => {
      world.log(isGood ? `${call} ok` : `${call} failed`, connection.id)
      connection.isBusy = false
      ended(isGood)
    }
    switch (fate) {
      case 'quick':
        end(true)
        return Promise.resolve()
      case 'failing':
        end(false)
        return Promise.reject(failure())
      case 'throwing':
        end(false)
        throw failure()
      default:
        return new Promise((resolve, reject) => {
          const succeed = () => {
            end(true)
            resolve()
          }
          const fail = () => {
            end(false)
            reject(failure())
          }
          this.#play(fate, succeed, fail)
        })
    }
  }

  /** A server that is away answers nobody; what is dead can only be ended. */
  #draw(call: Call, connection: SimulatedConnection): Fate {
    const { isCalm, isAway, random, plan, coverage } = this.#world
    const isEnd = call === 'close' || call === 'terminate'
    const isHopeless = !isEnd && (connection.isDead || connection.isSilent || (isAway && call === 'connect'))
    let fate: Fate = isCalm ? 'quick' : random.weighted(plan.fates[call])
    if (isHopeless) fate = random.chance(0.2) && !isCalm ? 'hanging' : 'failing'
    if (fate !== 'quick') coverage.fault(`${call} ${fate}`)
    if (fate === 'dying') {
      this.die(connection)
      return random.chance(0.5) ? 'failing' : 'slow'
    }
    return fate
  }

  /** The connection dies, which the pool is told at once; it is told so once at most. */
  die(connection: SimulatedConnection): void {
    if (connection.isDead) return
    connection.isDead = true
    this.#world.log('lost', connection.id)
    this.#model.hit(connection, 'lost')
    connection.lost(new SimulatedError(`connection ${connection.id} was lost`))
  }

  #mayDieYoung(connection: SimulatedConnection): void {
    const { isCalm, random, plan, coverage, clock } = this.#world
    if (isCalm || !random.chance(plan.stillborn)) return
    coverage.fault('connect stillborn')
    const die = () => this.die(connection)
    random.pick([die, () => queueMicrotask(die), () => clock.after(random.below(50), die)])()
  }

  #play(fate: Fate, succeed: () => void, fail: () => void): void {
    const { random, clock, hanging } = this.#world
    switch (fate) {
      case 'quick':
        succeed()
        break
      case 'slow':
        clock.after(random.between(1, random.pick([3, 30, 300])), succeed)
        break
      case 'late': {
        const end = random.chance(0.7) ? succeed : fail
        hanging.add(end)
        clock.after(random.between(6_000, 40_000), () => {
          if (hanging.delete(end)) end()
        })
        break
      }
      case 'failingLater':
        clock.after(random.between(1, 100), fail)
        break
      case 'hanging':
        hanging.add(random.chance(0.5) ? succeed : fail)
        break
      default:
        fail()
    }
  }

  /** Some obey at once, some later, some not at all, and some open all the same. */
  #onAbort(open: () => void, fail: () => void): void {
    const { isCalm, random, clock, coverage } = this.#world
    const draw = isCalm ? 0 : random.next()
    if (draw >= 0.6) coverage.fault('connect ignoring its abort')
    if (draw < 0.6) fail()
    else if (draw < 0.75) clock.after(random.between(1, 100), fail)
    else if (draw < 0.9) open()
  }
}
