/** A connection that leads nowhere: what is measured is the pool alone. */
export class Nowhere {
  /** Whether somebody has it. */
  isTaken = false
}

/** A pool with all its connections open, as its callers see it. `Held` is what an acquire gives. */
export interface Pooling<Held> {
  acquire(): PromiseLike<Held>
  release(held: Held): unknown
  connectionOf(held: Held): Nowhere
}

/** A library that pools, over connections that lead nowhere. */
export interface Pooler {
  readonly name: string
  /** Whether a caller's wait can be limited. */
  readonly timesOut: boolean
  /** `timeout`, in milliseconds, limits the wait of its callers; `undefined`: what it does by default. */
  open(connections: number, timeout?: number): Pooling<unknown>
}

/** Acquires all connections at once, and checks that each of them comes once. */
export async function takeAll(pooling: Pooling<unknown>, connections: number): Promise<unknown[]> {
  const held = await Promise.all(Array.from({ length: connections }, () => pooling.acquire()))
  for (const one of held) take(pooling.connectionOf(one))
  return held
}

/** @throws Error where somebody else has it. */
export function take(connection: Nowhere): void {
  if (connection.isTaken) throw new Error('the pool gave a connection to two callers at once')
  connection.isTaken = true
}
