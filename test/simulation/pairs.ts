import type { State } from './connection.ts'
import type { SlotEvent } from './coverage.ts'

/** Why a slot in this state cannot meet this event; undefined where it can. */
export function impossible(_state: State, _event: SlotEvent): string | undefined {
  return undefined
}
