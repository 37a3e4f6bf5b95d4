import { PoolClosedError, PoolTimeoutError } from '../../src/errors.ts'
import type { ResourcePool } from '../../src/pooling/index.ts'
import type { SimulatedConnection } from './connection.ts'
import type { Model } from './model.ts'
import { SimulatedError, type World } from './world.ts'

/** How a pool begins and ends, and what it promises of both: R1 and R13. */
export class Lifespan {
  /** Promises of `open`, `close` and `terminate` that are to be settled. */
  unsettled = 0
  readonly #world: World
  readonly #model: Model
  readonly #pool: ResourcePool<SimulatedConnection>
  /** The latest call of `close` or `terminate`: whether its promise is settled. */
  #isEndSettled: boolean | undefined
  /** The close is to reject: its time was over, and the pool was not gone. */
  #hasRunOut = false

  constructor(world: World, model: Model, pool: ResourcePool<SimulatedConnection>) {
    this.#world = world
    this.#model = model
    this.#pool = pool
  }

  /** Whether an end was asked for that has not come. */
  get waitsForEnd(): boolean {
    return this.#isEndSettled === false
  }

  open(): void {
    const model = this.#model
    this.#world.log('open')
    model.hitAll('open')
    if (model.phase === 'new') {
      model.phase = 'open'
      model.isStarting = true
      model.startFloor = model.minSize
    }
    this.unsettled++
    this.#pool.open().then(
      () => {
        this.#world.log('open resolves')
        this.unsettled--
        if (model.isStarting && model.opened < model.startFloor) {
          this.#world.violate('R1', `open resolves with ${model.opened} of ${model.startFloor} connections`)
        }
        model.isStarting = false
      },
      (error: unknown) => {
        this.#world.log('open rejects')
        this.unsettled--
        if (error instanceof SimulatedError) {
          // The start failed, and the pool has ended itself.
          if (this.#isEndSettled === undefined) model.phase = 'closed'
        } else if (!(error instanceof PoolClosedError)) {
          this.#world.violate('R1', `open rejects with ${error}`)
        }
      },
    )
  }

  /** `timeout` in milliseconds; 0: none. */
  close(timeout: number): void {
    const { clock } = this.#world
    const model = this.#model
    this.#world.log('close', timeout)
    model.hitAll('close')
    // After a failed start the pool is closing already, and without a limit.
    const isLimited = timeout > 0 && !model.isEnding && !this.#pool.isClosing
    if (!model.isEnding) model.phase = 'closing'
    if (isLimited) {
      model.closeBy = clock.now() + timeout
      // Set before the pool's own timer, it sees what that one will end.
      clock.after(timeout, () => {
        if (model.phase === 'closing') model.hitAll('closeRanOut')
      })
    }
    this.#end('close', this.#pool.close({ timeout }))
    // Set behind it, it sees what that one has not ended yet.
    if (isLimited) {
      clock.after(timeout, () => {
        this.#hasRunOut = this.waitsForEnd
      })
    }
  }

  terminate(): void {
    const model = this.#model
    this.#world.log('terminate')
    model.hitAll('terminate')
    if (model.phase !== 'closed') model.phase = 'terminating'
    this.#end('terminate', this.#pool.terminate())
  }

  /** What the pool did by itself since: the start failed, or a close ran out of time. */
  notice(): void {
    const { clock } = this.#world
    const model = this.#model
    const { isClosing } = this.#pool
    if (isClosing && !model.isEnding && model.isStarting) model.phase = 'closing'
    if (model.phase === 'closing' && clock.now() >= model.closeBy && !clock.isBehind) {
      model.phase = 'terminating'
    }
    if (model.opened > 0 && model.open >= model.minSize) model.isStarting = false
    if (model.isStarting && model.startFailed && !isClosing) {
      this.#world.violate('R1', 'the start goes on after a connect failed')
    }
  }

  #end(what: string, promise: Promise<void>): void {
    const world = this.#world
    const model = this.#model
    this.unsettled++
    this.#isEndSettled = false
    const settled = (how: string) => {
      world.log(`${what} ${how}`)
      this.unsettled--
      this.#isEndSettled = true
      if (model.taken.size > 0)
        world.violate('R13', `${what} ${how} with ${model.taken.size} connections left`)
      if (world.clock.timers > 0)
        world.violate('R13', `${what} ${how} with ${world.clock.timers} timers left`)
      model.phase = 'closed'
    }
    promise.then(
      () => {
        if (what === 'close' && this.#hasRunOut) {
          world.violate('R13', 'close resolves though its time ran out')
        }
        settled('resolves')
      },
      (error: unknown) => {
        const isOverdue =
          what === 'close' && error instanceof PoolTimeoutError && world.clock.now() >= model.closeBy
        if (!isOverdue) world.violate('R13', `${what} rejects with ${error}`)
        settled('rejects')
      },
    )
  }
}
