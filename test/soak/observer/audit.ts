import { accounts, allWrites, copiesOf, startingBalance, totalBalance, unbalanced } from '../schema.ts'
import type { SoakServer } from '../server.ts'
import type { Ledger, Written } from './ledger.ts'

/** Compares the ledger with the server, by a client that is not the one under test. */
export class Audit {
  readonly #server: SoakServer
  readonly #ledger: Ledger

  constructor(server: SoakServer, ledger: Ledger) {
    this.#server = server
    this.#ledger = ledger
  }

  /** What is wrong with what was settled so far. Rejects where the server cannot be asked. */
  async look(): Promise<string[]> {
    const due = this.#ledger.due
    const written = await this.#server.query<Written>(copiesOf, [due])
    const [balance] = await this.#server.query<{ total: number }>(totalBalance)
    const problems = this.#ledger.check(due, written)
    const expected = accounts * startingBalance
    if (balance?.total !== expected)
      problems.push(`the balances sum up to ${balance?.total}, not ${expected}`)
    return problems
  }

  /** What is wrong in the end, with everything. */
  async conclude(): Promise<string[]> {
    const due = this.#ledger.due
    const written = await this.#server.query<Written>(copiesOf, [due])
    const late = written.filter(({ id }) => this.#ledger.isDoubtful(id)).length
    const problems = this.#ledger.check(due, written)
    const [all] = await this.#server.query<{ writes: number; broken: number[] }>(allWrites)
    problems.push(...this.#ledger.checkTotal(all!.writes, late))
    if (all!.broken.length > 0)
      problems.push(`writes ${all!.broken.slice(0, 10)} are not there once and whole`)
    const wrong = await this.#server.query<{ id: number; balance: number; expected: number }>(unbalanced)
    for (const { id, balance, expected } of wrong)
      problems.push(`account ${id} has ${balance}, not ${expected}`)
    return problems
  }
}
