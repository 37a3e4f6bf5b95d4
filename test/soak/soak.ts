import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { Lag, now } from './clock.ts'
import { Counts } from './counts.ts'
import type { FaultOrder, FaultReport, LoadOrder, LoadReport, Sample, Violation } from './messages.ts'
import { Activity } from './observer/activity.ts'
import { Audit } from './observer/audit.ts'
import { Ledger } from './observer/ledger.ts'
import { Recoveries } from './observer/recoveries.ts'
import { ActivityWatch, accepting } from './observer/watch.ts'
import type { SoakOptions } from './options.ts'
import { longestSilence } from './pool-plans.ts'
import { Helper } from './processes.ts'
import type { Findings } from './report.ts'
import { leaks } from './resources.ts'
import { schema } from './schema.ts'
import type { SoakServer } from './server.ts'
import { Histogram } from './statistics.ts'

const sessionsText = `select from pg_stat_activity where usename = 'soak'`
const auditEvery = 15_000
/** What the load tells of its connections is here within this time. */
const hearsay = 300
/** Behind the end of a fault, and of what calls wait for then, nobody may fail any more after so many milliseconds. */
const calmAfter = 3_000
/** A pool that has not recovered by then is told, though it never may. */
const longestRecovery = 15_000

/** The observer: it starts the load and the fault maker, and looks at the server and at what they tell. */
export class Soak {
  readonly #options: SoakOptions
  readonly #server: SoakServer
  readonly #signal: AbortSignal
  readonly #load: Helper<LoadOrder, LoadReport>
  readonly #faults: Helper<FaultOrder, FaultReport>
  readonly #activity = new Activity()
  readonly #ledger = new Ledger()
  readonly #audit: Audit
  readonly #recoveries = new Recoveries()
  readonly #lag = new Lag()
  readonly #counts = new Counts()
  readonly #waits = new Histogram()
  readonly #samples: Sample[] = []
  #final: Sample | undefined
  readonly #violations = new Map<string, Violation>()
  readonly #began = now()
  #fault = { name: 'the start', at: now(), isOver: true }
  #calmSince = Number.POSITIVE_INFINITY

  /** `signal` ends it early. */
  constructor(server: SoakServer, options: SoakOptions, signal: AbortSignal) {
    this.#server = server
    this.#options = options
    this.#signal = signal
    this.#audit = new Audit(server, this.#ledger)
    const gone = (how: string) => this.#violated('I8', how)
    this.#load = new Helper('load', './load/main.js', (report) => this.#heardOfLoad(report), gone)
    this.#faults = new Helper('fault maker', './faults/main.js', (report) => this.#heardOfFault(report), gone)
  }

  async run(): Promise<Findings> {
    const { minutes } = this.#options
    const watch = new ActivityWatch(this.#server, (rows, at) => {
      setTimeout(() => {
        this.#found('I4', this.#activity.check(rows, at, this.#calmSince <= at))
      }, hearsay)
    })
    const audit = setInterval(() => this.#lookAtLedger(), auditEvery)
    try {
      await this.#start()
      await pause(minutes * 60_000, undefined, { signal: this.#signal })
      await this.#finish()
    } finally {
      clearInterval(audit)
      await watch.stop()
      this.#lag.stop()
      await Promise.all([this.#load.end(5_000), this.#faults.end(20_000)])
    }
    const course = { began: this.#began, ended: now(), samples: this.#samples }
    this.#found('I9', leaks(course))
    return {
      ...course,
      options: this.#options,
      counts: this.#counts.byWhat,
      writes: this.#ledger.totals,
      faults: this.#recoveries.byFault,
      waits: this.#waits,
      final: this.#final,
      violations: [...this.#violations.values()],
      activitySamples: watch.samples,
      mostAbandoned: this.#activity.mostAbandoned,
    }
  }

  async #start(): Promise<void> {
    const { seed, pace, faults, minutes } = this.#options
    await this.#server.query(schema)
    const ready = this.#faults.next('ready', 20_000)
    this.#faults.send({ kind: 'start', server: this.#server.place, seed })
    const { proxyPort } = await ready
    const direct = this.#server.dsn
    const proxied = direct.replace(`:${this.#server.place.port}/`, `:${proxyPort}/`)
    const sampleEvery = Math.min(30_000, minutes * 1_000)
    this.#load.send({ kind: 'start', targets: { direct, proxied }, seed, sampleEvery })
    this.#faults.send({ kind: 'begin', faults, pace, loadPid: this.#load.pid })
    this.#calmSince = now() + calmAfter
  }

  async #finish(): Promise<void> {
    const stopped = this.#faults.next('stopped', 60_000)
    this.#faults.send({ kind: 'stop' })
    await stopped
    await accepting(this.#server, AbortSignal.timeout(60_000))
    await pause(longestSilence + calmAfter)
    const finished = this.#load.next('finished', 90_000)
    this.#load.send({ kind: 'finish' })
    try {
      const { left } = await finished
      if (left.length > 0) this.#violated('I9', `the load is left with ${left.join(', ')}`)
      if (!(await this.#load.end(5_000))) this.#violated('I9', 'the load does not end by itself')
    } catch (error) {
      this.#violated('I2', String(error))
      await this.#load.end(0)
    }
    this.#found('I5', await this.#audit.conclude())
    await until('all sessions of the load have ended', async () => {
      return (await this.#server.query(sessionsText)).length === 0
    }).catch((error: unknown) => this.#violated('I9', String(error)))
  }

  #heardOfLoad(report: LoadReport): void {
    switch (report.kind) {
      case 'tally':
        for (const [operation, result, count] of report.counts) this.#counts.add(operation, result, count)
        for (const [id, fate, how] of report.writes) this.#ledger.settle(id, fate, how)
        for (const wait of report.waits) this.#waits.add(wait)
        break
      case 'opened':
        this.#activity.opened(report.pool, report.pid)
        break
      case 'closed':
        this.#activity.closed(report.pool, report.pid, report.reason, now())
        break
      case 'recovered':
        this.#found('I10', this.#recoveries.recovered(report))
        break
      case 'sample':
        this.#samples.push(report.sample)
        break
      case 'finished':
        this.#final = report.sample
        break
      case 'violation':
        this.#violated(report.rule, report.what)
    }
  }

  #heardOfFault(report: FaultReport): void {
    switch (report.kind) {
      case 'begun':
        this.#fault = { name: report.fault, at: report.at, isOver: false }
        this.#calmSince = Number.POSITIVE_INFINITY
        this.#load.send({ kind: 'storm' })
        this.#recoveries.begun(report.fault)
        this.#log(`${report.fault} …`)
        break
      case 'ended':
        this.#fault = { name: report.fault, at: report.at, isOver: true }
        this.#log(
          `${report.fault}: over${report.failure === undefined ? '' : `; it failed: ${report.failure}`}`,
        )
        if (report.failure !== undefined) this.#violated('soak', `${report.fault} failed: ${report.failure}`)
        // Who interrupts the soak does not wait for this.
        this.#watchRecovery(report.fault, report.silence).catch(() => {})
        break
      case 'do':
        this.#load.send({ kind: 'do', deed: report.deed })
    }
  }

  async #watchRecovery(fault: string, silence: number): Promise<void> {
    const { at } = this.#fault
    const isOthers = () => this.#fault.at !== at
    const [lost, took] = [this.#lag.lost, await accepting(this.#server, this.#signal)]
    if (isOthers()) return
    const calmIn = 2 * silence + calmAfter
    this.#calmSince = now() + calmIn
    this.#load.send({ kind: 'calm', calmIn })
    const id = this.#recoveries.accepted(fault, silence + took + this.#lag.lost - lost)
    this.#load.send({ kind: 'watch', id })
    await pause(longestRecovery, undefined, { ref: false })
    if (!isOthers()) this.#found('I10', this.#recoveries.late(id))
  }

  /** What could not be asked for is asked for the next time. */
  #lookAtLedger(): void {
    this.#audit.look().then(
      (problems) => this.#found('I5', problems),
      () => {},
    )
  }

  #found(rule: string, problems: readonly string[]): void {
    for (const problem of problems) this.#violated(rule, problem)
  }

  #violated(rule: string, what: string): void {
    const key = `${rule}: ${what}`
    const known = this.#violations.get(key)
    if (known !== undefined) {
      known.times++
      return
    }
    const at = now()
    const { name, isOver } = this.#fault
    const when = isOver ? `${((at - this.#fault.at) / 1_000).toFixed(1)} s after ${name}` : `during ${name}`
    this.#violations.set(key, { rule, at, what: `${what} (${when})`, times: 1 })
    this.#log(`VIOLATION ${key}`)
  }

  #log(line: string): void {
    console.error(`${((now() - this.#began) / 1_000).toFixed(1).padStart(7)} s  ${line}`)
  }
}
