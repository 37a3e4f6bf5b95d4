import { type State, states } from './connection.ts'

/** What can happen to a slot. */
export const slotEvents = [
  'connected',
  'connectFailed',
  'connectRefused',
  'connectAborted',
  'givenUp',
  'lost',
  'rested',
  'checkBegun',
  'checkOk',
  'checkFailed',
  'checkTimedOut',
  'prepareBegun',
  'prepareOk',
  'prepareFailed',
  'prepareTimedOut',
  'callerLeft',
  'handedOut',
  'shared',
  'released',
  'releasedAgain',
  'releasedAfterLoss',
  'resetOk',
  'resetFailed',
  'resetTimedOut',
  'resetNothing',
  'closeOk',
  'closeFailed',
  'closeTimedOut',
  'terminateOk',
  'terminateFailed',
  'retired: idle',
  'retired: maxQueries',
  'retired: maxLifetime',
  'retired: expired',
  'retired: resized',
  'retired: byUser',
  'retired: lost',
  'retired: checkFailed',
  'retired: prepareFailed',
  'retired: resetFailed',
  'retired: poolClosed',
  'retired: terminated',
  'expire',
  'resizeUp',
  'resizeDown',
  'suspend',
  'resume',
  'distrust',
  'open',
  'close',
  'closeRanOut',
  'terminate',
  'stall',
] as const
export type SlotEvent = (typeof slotEvents)[number]

const stateIndex = new Map(states.map((state, index) => [state, index]))
const eventIndex = new Map(slotEvents.map((event, index) => [event, index]))

/** What was reached: each event in each state of a slot, and each fault, with how often. */
export class Coverage {
  readonly pairs = new Float64Array(states.length * slotEvents.length)
  readonly faults = new Map<string, number>()

  hit(state: State, event: SlotEvent): void {
    this.pairs[eventIndex.get(event)! * states.length + stateIndex.get(state)!]!++
  }

  count(state: State, event: SlotEvent): number {
    return this.pairs[eventIndex.get(event)! * states.length + stateIndex.get(state)!]!
  }

  fault(name: string, times = 1): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + times)
  }

  add(other: { pairs: Float64Array; faults: ReadonlyMap<string, number> }): void {
    other.pairs.forEach((times, index) => {
      this.pairs[index]! += times
    })
    for (const [name, times] of other.faults) this.fault(name, times)
  }
}
