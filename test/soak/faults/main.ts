import { FaultProxy } from '../../../src/testing/index.ts'
import { Random } from '../../pool/support/tenants.ts'
import { now } from '../clock.ts'
import type { FaultOrder, FaultReport } from '../messages.ts'
import { SoakServer } from '../server.ts'
import type { Fault, Scene } from './fault.ts'
import { networkFaults } from './network.ts'
import { processFaults } from './processes.ts'
import { programFaults } from './program.ts'
import { settingFaults } from './settings.ts'

const allFaults = [...processFaults, ...networkFaults, ...settingFaults, ...programFaults]

/** The pause behind a fault is from the one to the other, in milliseconds. */
const shortestPause = 5_000
const longestPause = 20_000

/** As long as a timer may be. */
const longestTimer = 2 ** 31 - 1

type Order<K extends FaultOrder['kind']> = FaultOrder & { kind: K }

function tell(report: FaultReport): void {
  if (process.connected) process.send!(report)
}

/** The process that makes one fault after the other, and has the proxy that some of them are made with. */
class FaultMaker {
  readonly #server: SoakServer
  readonly #proxy: FaultProxy
  readonly #random: Random
  readonly #over = new AbortController()

  private constructor(server: SoakServer, proxy: FaultProxy, random: Random) {
    this.#server = server
    this.#proxy = proxy
    this.#random = random
  }

  static async open({ server, seed }: Order<'start'>): Promise<FaultMaker> {
    const random = new Random(seed)
    const proxy = await FaultProxy.start({
      host: '127.0.0.1',
      port: server.port,
      random: () => random.below(2 ** 32) / 2 ** 32,
    })
    return new FaultMaker(await SoakServer.at(server), proxy, random)
  }

  get proxyPort(): number {
    return this.#proxy.port
  }

  /** Until `stop()`. */
  async run({ faults, pace, loadPid }: Order<'begin'>): Promise<void> {
    const scene: Scene = {
      server: this.#server,
      proxy: this.#proxy,
      random: this.#random,
      loadPid,
      pause: (ms) => this.#pause(ms),
      ask: (deed) => tell({ kind: 'do', deed }),
    }
    const wanted = new RegExp(faults)
    for (const fault of this.#shuffled(allFaults.filter(({ name }) => wanted.test(name)))) {
      await this.#pause((shortestPause + this.#random.below(longestPause - shortestPause)) * pace)
      if (this.#over.signal.aborted) break
      await this.#make(fault, scene)
    }
    // There may be none to make.
    await this.#pause(longestTimer)
    tell({ kind: 'stopped' })
  }

  stop(): void {
    this.#over.abort()
  }

  /** The rest of the process ends by itself then. */
  async close(): Promise<void> {
    this.stop()
    await this.#proxy.close()
  }

  /** All of them in a random order, then all of them in another, and so on. */
  *#shuffled(faults: readonly Fault[]): Generator<Fault, void> {
    while (faults.length > 0) {
      const left = [...faults]
      while (left.length > 0) yield left.splice(this.#random.below(left.length), 1)[0]!
    }
  }

  async #make(fault: Fault, scene: Scene): Promise<void> {
    const { name, silence = 0 } = fault
    tell({ kind: 'begun', fault: name, at: now() })
    let failure: string | undefined
    try {
      await fault.run(scene)
    } catch (error) {
      failure = String(error)
    }
    tell({ kind: 'ended', fault: name, at: now(), silence, failure })
    if (fault.tidyUp === undefined) return
    await this.#pause(2 * silence)
    await fault.tidyUp(scene)
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#over
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }
}

let maker: FaultMaker | undefined

// The main process ends this one.
process.on('SIGINT', () => {})
process.on('disconnect', () => void maker?.close())
process.on('message', async (order: FaultOrder) => {
  switch (order.kind) {
    case 'start':
      maker = await FaultMaker.open(order)
      tell({ kind: 'ready', proxyPort: maker.proxyPort })
      break
    case 'begin':
      await maker?.run(order)
      break
    case 'stop':
      maker?.stop()
  }
})
