import type { State } from './connection.ts'
import type { SlotEvent } from './coverage.ts'

interface Possibility {
  /** The states in which a slot can meet the event. */
  in: readonly State[]
  /** Why it cannot in all others. */
  elsewhere: string
}

const taken: readonly State[] = [
  'connecting',
  'idle',
  'checking',
  'preparing',
  'leased',
  'resetting',
  'closing',
  'terminating',
]
const opened: readonly State[] = ['idle', 'checking', 'preparing', 'leased', 'resetting']
const leaving: readonly State[] = ['closing', 'terminating', 'gone']

const operation: Possibility = {
  in: taken,
  elsewhere: 'what is gone has no slot, and the pool nothing to do with it',
}
const handOut: Possibility = {
  in: ['connecting', 'idle', 'checking', 'preparing', 'leased', 'resetting'],
  elsewhere: 'what leaves does not come back',
}
const endOfConnect: Possibility = {
  in: ['connecting', 'gone'],
  elsewhere: 'a connect ends once; until then its slot waits, or has given it up',
}
const endOfClose: Possibility = {
  in: leaving,
  elsewhere: 'a close is the last that is asked of a connection, but for terminate',
}
const endOfTerminate: Possibility = {
  in: ['terminating', 'gone'],
  elsewhere: 'nothing comes after terminate',
}

const possibilities: Record<SlotEvent, Possibility> = {
  connected: endOfConnect,
  connectFailed: endOfConnect,
  connectRefused: endOfConnect,
  connectAborted: {
    in: ['connecting', 'gone'],
    elsewhere: 'only a connect under way, or just failed, is aborted',
  },
  givenUp: {
    in: ['connecting', 'terminating'],
    elsewhere: 'other states end otherwise when their time is over: by terminate, or never',
  },
  lost: { in: [...taken, 'gone'], elsewhere: '' },
  rested: {
    in: ['connecting', 'checking', 'preparing', 'leased', 'resetting'],
    elsewhere: 'what is idle need not become it, and what leaves does not come back',
  },
  checkBegun: { in: ['idle'], elsewhere: 'only what was idle for long is checked' },
  checkOk: {
    in: ['checking', ...leaving],
    elsewhere: 'what was being checked goes on only by the end of its check',
  },
  checkFailed: {
    in: ['checking', ...leaving],
    elsewhere: 'what was being checked goes on only by the end of its check',
  },
  checkTimedOut: { in: ['checking'], elsewhere: 'a check that its slot has left has no time-out' },
  prepareBegun: handOut,
  prepareOk: {
    in: ['preparing', 'terminating', 'gone'],
    elsewhere:
      'what is being prepared goes on only by the end of its setup, and is never closed by a goodbye meanwhile',
  },
  prepareFailed: {
    in: ['preparing', 'terminating', 'gone'],
    elsewhere:
      'what is being prepared goes on only by the end of its setup, and is never closed by a goodbye meanwhile',
  },
  prepareTimedOut: { in: ['preparing'], elsewhere: 'a setup that its slot has left has no time-out' },
  callerLeft: {
    in: ['preparing'],
    elsewhere: 'before it, a caller and a slot are not bound; after it, the caller has it',
  },
  handedOut: handOut,
  shared: {
    in: ['leased'],
    elsewhere: 'who has others share a connection holds it, and looks whether it lives',
  },
  released: {
    in: ['leased', 'terminating', 'gone'],
    elsewhere: 'what is leased stays so until its release, unless it is terminated',
  },
  releasedAgain: { in: [...opened, ...leaving], elsewhere: 'what is not open was never leased' },
  releasedAfterLoss: { in: ['terminating', 'gone'], elsewhere: 'what is lost is terminated at once' },
  resetOk: {
    in: ['preparing', 'leased', 'resetting', 'terminating', 'gone'],
    elsewhere:
      'a reset follows a lease or a setup, and what is being reset is never closed by a goodbye meanwhile',
  },
  resetFailed: {
    in: ['preparing', 'leased', 'resetting', 'terminating', 'gone'],
    elsewhere:
      'a reset follows a lease or a setup, and what is being reset is never closed by a goodbye meanwhile',
  },
  resetTimedOut: { in: ['resetting'], elsewhere: 'a reset that its slot has left has no time-out' },
  resetNothing: { in: ['preparing', 'leased'], elsewhere: 'a reset follows a lease or a setup' },
  closeOk: endOfClose,
  closeFailed: endOfClose,
  closeTimedOut: { in: ['closing'], elsewhere: 'a goodbye that its slot has left has no time-out' },
  terminateOk: endOfTerminate,
  terminateFailed: endOfTerminate,
  'retired: idle': { in: ['idle'], elsewhere: 'the time without use counts on the idle stack alone' },
  'retired: maxQueries': { in: ['leased', 'preparing'], elsewhere: 'commands are counted after their use' },
  'retired: maxLifetime': {
    in: opened,
    elsewhere: 'it is looked at where a connection would rest or be handed on',
  },
  'retired: expired': { in: ['connecting', ...opened], elsewhere: 'what leaves, leaves once' },
  'retired: resized': { in: ['connecting', ...opened], elsewhere: 'what leaves, leaves once' },
  'retired: byUser': { in: ['leased'], elsewhere: 'only who has it can close it' },
  'retired: lost': { in: ['connecting', ...opened], elsewhere: 'what leaves, leaves once' },
  'retired: checkFailed': { in: ['checking'], elsewhere: 'it ends a check' },
  'retired: prepareFailed': { in: ['preparing'], elsewhere: 'it ends a setup' },
  'retired: resetFailed': { in: ['resetting'], elsewhere: 'it ends a reset' },
  'retired: poolClosed': { in: ['connecting', ...opened], elsewhere: 'what leaves, leaves once' },
  'retired: terminated': { in: opened, elsewhere: 'a connect is aborted, and what leaves, leaves once' },
  expire: operation,
  resizeUp: operation,
  resizeDown: operation,
  suspend: operation,
  resume: operation,
  distrust: operation,
  open: operation,
  close: operation,
  closeRanOut: operation,
  terminate: operation,
  stall: operation,
}

/** Why a slot in this state cannot meet this event; undefined where it can. */
export function impossible(state: State, event: SlotEvent): string | undefined {
  const possibility = possibilities[event]
  return possibility.in.includes(state) ? undefined : possibility.elsewhere
}
