import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of the soak, beside the main one. */
export class Helper<Order, Report extends { kind: string }> {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #exit: Promise<unknown>
  #isEnding = false

  /** `script`: beside this file. `gone` is told when it ends before `end()`. */
  constructor(name: string, script: string, tell: (report: Report) => void, gone: (how: string) => void) {
    this.#name = name
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), {
      execArgv: ['--enable-source-maps', '--expose-gc'],
    })
    this.#exit = once(this.#child, 'exit')
    this.#child.on('message', (report) => tell(report as Report))
    this.#child.on('exit', (code, signal) => {
      if (code !== 0 && !this.#isEnding) gone(`the ${name} ended with ${signal ?? `exit code ${code}`}`)
    })
    this.#child.on('error', () => {})
  }

  get pid(): number {
    return this.#child.pid!
  }

  send(order: Order): void {
    if (this.#child.connected) this.#child.send(order as object)
  }

  /** The next report of a kind. @throws Error where none comes `within` milliseconds, or the process ends. */
  next<K extends Report['kind']>(kind: K, within: number): Promise<Report & { kind: K }> {
    return new Promise((resolve, reject) => {
      const late = () =>
        end(() => reject(new Error(`the ${this.#name} did not tell '${kind}' in ${within} ms`)))
      const exit = () => end(() => reject(new Error(`the ${this.#name} ended before it told '${kind}'`)))
      const hear = (report: unknown) => {
        const told = report as Report
        if (told.kind === kind) end(() => resolve(told as Report & { kind: K }))
      }
      const timer = setTimeout(late, within)
      const end = (settle: () => void) => {
        clearTimeout(timer)
        this.#child.off('message', hear)
        this.#child.off('exit', exit)
        settle()
      }
      this.#child.on('message', hear)
      this.#child.on('exit', exit)
    })
  }

  /** Resolves with whether it ended by itself, nothing being left in it, `within` milliseconds; else it is killed. */
  async end(within: number): Promise<boolean> {
    this.#isEnding = true
    if (this.#child.connected) this.#child.disconnect()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return true
    let byItself = true
    const timer = setTimeout(() => {
      byItself = false
      this.#child.kill('SIGKILL')
    }, within)
    // A frozen one goes on.
    this.#child.kill('SIGCONT')
    await this.#exit
    clearTimeout(timer)
    return byItself
  }
}
