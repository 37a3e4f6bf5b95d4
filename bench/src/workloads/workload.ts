/** What a client library is asked. */
export interface Statement {
  /** For libraries that prepare a statement under a name. */
  name: string
  text: string
}

/** A client library, open and ready. */
export interface Client {
  /** The first row. */
  fetchRow(statement: Statement, args: readonly unknown[]): Promise<unknown>
  close(): Promise<void>
}

/** A kind of request, and what a right answer to it is. */
export interface Workload {
  /** For the heading of a table. */
  readonly description: string
  /** The answers that were checked so far, and were right. */
  readonly checked: number
  /** Makes one request. Rejects where the answer is wrong. */
  request(client: Client): Promise<void>
  /** Leaves the server as it was. */
  drop(): Promise<void>
}
