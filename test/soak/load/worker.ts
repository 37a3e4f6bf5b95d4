import { setTimeout as pause } from 'node:timers/promises'
import { Random } from '../../pool/support/tenants.ts'
import type { Lag } from '../clock.ts'
import { now } from '../clock.ts'
import { type PoolName, poolPlans } from '../pool-plans.ts'
import type { Guard } from './guard.ts'
import { Impatience } from './impatience.ts'
import { canBeOfFault, canBeOfOthers, describe, nameOf } from './judge.ts'
import { leases } from './leases.ts'
import { violate } from './link.ts'
import type { Operation, Stage } from './operation.ts'
import type { Pools } from './pools.ts'
import { reads } from './reads.ts'
import type { RecoveryWatch } from './recovery.ts'
import type { Tally } from './tally.ts'
import type { Weather } from './weather.ts'
import { writes } from './writes.ts'

/** An operation once for each time that it is to be chosen. */
const deck = [...writes, ...reads, ...leases].flatMap((operation) =>
  Array.from<Operation>({ length: operation.weight }).fill(operation),
)

/** A machine that lets this process stand still for longer, in milliseconds, does so to the server, and is a fault. */
const standstill = 500

export interface Workplace {
  pools: Pools
  tally: Tally
  weather: Weather
  guard: Guard
  recovery: RecoveryWatch
  lag: Lag
  /** By pool. */
  owners: Map<PoolName, Map<number, string>>
  isOver(): boolean
}

/** Does one random operation after the other on a pool, until it is over. */
export async function work(place: Workplace, name: PoolName, seed: number): Promise<void> {
  const random = new Random(seed)
  while (!place.isOver()) {
    await perform(place, name, random.pick(deck), random)
    await pause(5 + random.below(50))
  }
}

async function perform(
  place: Workplace,
  name: PoolName,
  operation: Operation,
  random: Random,
): Promise<void> {
  const { tally, weather, guard, recovery, lag } = place
  const impatience = new Impatience(random)
  const stage: Stage = {
    pool: place.pools.get(name),
    resetsAll: poolPlans[name].options.reset !== 'auto',
    random,
    impatience,
    newId: () => tally.newId(),
    settle: (id, fate, words = '') => tally.settle(id, fate, `${operation.name} ${words}`),
    lag,
    owners: place.owners.get(name)!,
  }
  const land = guard.takeOff(`${operation.name} on ${name}`)
  const [began, lost] = [now(), lag.lost]
  try {
    await operation.run(stage)
    tally.count(operation.name, 'done')
    recovery.succeeded(name)
  } catch (error) {
    if (impatience.explains(error)) {
      tally.count(operation.name, 'left by the caller')
      return
    }
    tally.count(operation.name, nameOf(error))
    if (canBeOfOthers(error)) return
    const told = `${operation.name} on ${name}: ${describe(error)}`
    if (!canBeOfFault(error)) violate('errors', told)
    else if (lag.lost - lost < standstill) weather.ifCalmSince(began, () => violate('calm', told))
  } finally {
    impatience.end()
    land()
  }
}
