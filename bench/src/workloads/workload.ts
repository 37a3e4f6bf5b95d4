import type { Connection } from 'rockpool'
import type { Requests } from '../measure.ts'
import type { Figures } from '../rounds.ts'

/** What a client library is asked. */
export interface Statement {
  /** For libraries that prepare a statement under a name. */
  name: string
  /** With `$1`, `$2`, … in this order. */
  text: string
  /** The parts of the text around the arguments, for libraries whose statements are template literals. */
  strings: TemplateStringsArray
}

export function statement(name: string, text: string): Statement {
  const raw = Object.freeze(text.split(/\$\d+/))
  const strings = Object.defineProperty([...raw], 'raw', { value: raw })
  return { name, text, strings: Object.freeze(strings) as readonly string[] as TemplateStringsArray }
}

/** A client library, open and ready. */
export interface Client {
  close(): Promise<void>
}

/** What a measurement needs on the server. */
export interface Stage {
  /** Makes the tables, in a schema that is this stage's alone. */
  create(connection: Connection, schema: string): Promise<void>
  /** Before each measurement. */
  before?(connection: Connection, schema: string): Promise<void>
  /** After each measurement. Rejects where the tables show that an answer was wrong. */
  after?(connection: Connection, schema: string, figures: Figures): Promise<void>
}

/** A kind of request, and what a right answer to it is. */
export interface Workload<C extends Client> extends Stage {
  /** Seconds of requests that do not count, after the connections were opened. 0: none. */
  readonly warmUp: number
  requests(client: C, schema: string): Requests
}
