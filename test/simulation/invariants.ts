import type { CloseReason, PoolSettings, PoolStats } from '../../src/pooling/index.ts'
import type { State } from './connection.ts'
import type { Life } from './life.ts'
import { tolerance } from './model.ts'

/** The states that the pool counts, with what the model counts for each. */
const counted: readonly (readonly [keyof PoolStats, (counts: Readonly<Record<State, number>>) => number])[] =
  [
    ['connecting', (counts) => counts.connecting],
    ['idle', (counts) => counts.idle],
    ['checking', (counts) => counts.checking],
    ['preparing', (counts) => counts.preparing],
    ['leased', (counts) => counts.leased],
    ['resetting', (counts) => counts.resetting],
    ['closing', (counts) => counts.closing + counts.terminating],
  ]

/** Without a connection that is open. */
const away: ReadonlySet<State> = new Set(['connecting', 'closing', 'terminating', 'gone'])

/** What must hold once everything that can happen at this moment has happened. */
export function checkSettled(life: Life): void {
  life.model.failedJustNow = 0
  checkCallers(life)
  // Timers that are due and did not fire yet: the pool cannot know what the model knows.
  if (life.world.clock.isBehind) return
  const now = life.world.clock.now()
  checkSizes(life)
  checkDeadlines(life, now)
  checkProgress(life, now)
  checkEnd(life)
  life.world.isSettled = true
}

/** I2: whom the pool has done with knows it by now. */
function checkCallers({ callers, world }: Life): void {
  for (const caller of callers.pending.values()) {
    if (caller.hasFailed && !caller.isChosen)
      world.violate('R4', `caller ${caller.id} waits on after a connect failed for good`)
    if (caller.isTooMany) world.violate('R5', `caller ${caller.id} waits beyond maxWaiting`)
    if (caller.isLeft) world.violate('I2', `caller ${caller.id} was settled and hears nothing`)
    if (caller.number !== undefined) world.violate('I2', `caller ${caller.id} has a lease and hears nothing`)
  }
}

function checkSizes({ pool, model, world, callers }: Life): void {
  if (pool.size !== model.open || pool.idleSize !== model.counts.idle) {
    world.violate(
      'I1',
      `${pool.size} are open, ${pool.idleSize} idle, says the pool, not ${model.open}, ${model.counts.idle}`,
    )
  }
  if (pool.minSize !== model.minSize || pool.maxSize !== model.maxSize) {
    world.violate('I1', `the sizes are ${pool.minSize} to ${pool.maxSize}, says the pool`)
  }
  if (model.strays.size > 0) world.violate('I9', 'a connection that came too late was not terminated')
  if (world.plan.hasMuteCallers) return
  let waiting = 0
  for (const caller of callers.pending.values()) if (!caller.isChosen) waiting++
  if (pool.waitingSize !== waiting)
    world.violate('I2', `${pool.waitingSize} wait, says the pool, not ${waiting}`)
  if (pool.isOpenToAll !== (model.phase === 'open' && waiting === 0)) {
    world.violate('R3', `a pool that is ${model.phase}, and where ${waiting} wait, says otherwise`)
  }
}

/** I1, and that what the pool counts is what its events told: looked at once a step, as it costs. */
export function checkCounts({ pool, model, world, callers, observer }: Life): void {
  if (world.clock.isBehind) return
  const stats = pool.stats()
  for (const [name, count] of counted) {
    const expected = count(model.counts)
    if (stats[name] !== expected)
      world.violate('I1', `${stats[name]} are ${name}, says the pool, not ${expected}`)
  }
  if (stats.free !== Math.max(0, model.maxSize - model.taken.size)) {
    world.violate('I1', `${stats.free} of ${model.maxSize} slots are free, ${model.taken.size} taken`)
  }
  const connections = pool.connections()
  if (connections.length !== model.open || connections.some(({ state }) => away.has(state))) {
    world.violate('I1', 'the open connections are not those that it names')
  }
  let longest = 0
  for (const { connection, since } of observer.holdings.values()) {
    if (connection.state === 'leased') longest = Math.max(longest, world.clock.now() - since)
  }
  if (stats.longestHeld !== longest)
    world.violate('R5', `the longest holder has its for ${stats.longestHeld} ms`)
  const { totals } = stats
  let closed = 0
  let isTold = true
  for (const reason in totals.closed) {
    const times = totals.closed[reason as CloseReason]
    closed += times
    if (times !== (model.closed.get(reason) ?? 0)) isTold = false
  }
  isTold &&=
    totals.opened === model.opened &&
    totals.connectFailures === model.connectFailures &&
    totals.acquired === observer.acquired &&
    totals.timedOut === callers.timedOut &&
    totals.overloaded === callers.overloaded
  if (!isTold) world.violate('I1', `what the events told is not ${JSON.stringify(totals)}`)
  if (totals.opened - closed !== stats.size) world.violate('I1', `${totals.opened} opened, ${closed} closed`)
}

/** How long a slot may stay in this state; 0: as long as it takes. */
function limitOf(state: State, settings: PoolSettings): number {
  switch (state) {
    case 'checking':
      return settings.checkTimeout
    case 'preparing':
    case 'resetting':
      return settings.hookTimeout
    case 'closing':
      return settings.closeTimeout
    default:
      return 0
  }
}

/** I2, R8–R17: nothing outlasts its limit. */
function checkDeadlines({ model, world, callers, observer }: Life, now: number): void {
  const { settings } = world
  for (const caller of callers.pending.values()) {
    if (caller.deadline < now - tolerance)
      world.violate('I2', `caller ${caller.id} waits beyond its deadline`)
  }
  const { maxInactiveConnectionLifetime: idleLife, maxLifetime } = settings
  for (const connection of model.taken) {
    const { id, state, since } = connection
    const limit = limitOf(state, settings)
    if (limit > 0 && now - since > limit + tolerance)
      world.violate('R11', `connection ${id} is ${state} for too long`)
    if (state !== 'idle') continue
    if (maxLifetime > 0 && now - connection.openedAt > 1.1 * maxLifetime + tolerance) {
      world.violate('R10', `connection ${id} is idle after its lifetime`)
    }
    // What the floor has kept is looked at again one lifetime later.
    if (idleLife > 0 && model.aboveFloorSince !== undefined) {
      const due = Math.max(connection.usedAt + idleLife, model.aboveFloorSince)
      if (now - due > idleLife + tolerance) world.violate('R10', `connection ${id} is idle for too long`)
    }
    if (connection.generation !== model.generation)
      world.violate('R12', `connection ${id} is idle though expired`)
  }
  if (model.staying > model.maxSize && model.counts.idle > 0) {
    world.violate('I4', 'a connection beyond maxSize is idle')
  }
  if (settings.leakThreshold === 0 || model.phase === 'closed') return
  for (const holding of observer.holdings.values()) {
    if (now - holding.since > settings.leakThreshold + tolerance && !holding.isReported) {
      world.violate('R17', `lease ${holding.number} is not reported as a leak`)
    }
  }
}

/** I7, R2, R4: nobody waits, and the floor does not, for what could be done now. */
function checkProgress({ model, world, callers }: Life, now: number): void {
  const { counts } = model
  let waiting = 0
  let first = 0
  for (const caller of callers.pending.values()) {
    if (caller.isChosen) continue
    if (waiting++ === 0) first = caller.id
  }
  if (waiting > 0 && first < callers.highestServed && !world.plan.hasPrepare) {
    world.violate('I7', `caller ${first} waits, and caller ${callers.highestServed} was served`)
  }
  if (world.plan.hasMuteCallers && world.plan.hasPrepare) return
  if (model.serves && waiting > counts.checking && counts.idle > 0) {
    world.violate('I7', `${waiting} wait beside ${counts.idle} idle connections`)
  }
  const hopefulChecks = Math.max(0, counts.checking - model.failedChecks)
  const forWaiters = model.serves ? waiting - counts.connecting - hopefulChecks : 0
  const keepsFloor = model.phase === 'open' || model.phase === 'suspended'
  const forFloor = keepsFloor ? model.minSize - model.staying : 0
  const needed = Math.min(Math.max(forWaiters, forFloor), model.maxSize - model.taken.size)
  if (needed <= 0) return
  const isAllowed = model.isProbing
    ? counts.connecting === 0 && now > model.retryBy + tolerance
    : counts.connecting < world.settings.connectConcurrency
  if (isAllowed) {
    world.violate(forFloor >= forWaiters ? 'R2' : 'I7', `${needed} connections are needed and none is opened`)
  }
}

/** R13: an end goes on as far as it can. */
function checkEnd({ model, world, callers, pool, span }: Life): void {
  if (pool.isClosing !== model.isEnding)
    world.violate('R13', `the pool is ${model.phase}, and it says otherwise`)
  const { counts } = model
  if (model.phase === 'closing' && callers.pending.size === 0 && counts.idle + counts.checking > 0) {
    world.violate('R13', 'a pool that closes keeps connections that nobody uses')
  }
  if (model.phase === 'closing' && callers.pending.size === 0 && counts.connecting > 0) {
    for (const { state, isAborted } of model.taken) {
      if (state === 'connecting' && !isAborted) world.violate('R13', 'a pool that closes connects for nobody')
    }
  }
  if (model.phase === 'terminating' && model.open + counts.closing > 0) {
    world.violate('R13', 'a pool that was terminated has open connections')
  }
  if (model.isEnding && model.taken.size === 0 && callers.pending.size === 0) {
    if (span.waitsForEnd) world.violate('R13', 'nothing is left and the end does not come')
  }
}
