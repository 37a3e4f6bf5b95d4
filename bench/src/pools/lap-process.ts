import { handOut, queueUp, timeOut } from './laps.ts'
import { poolers } from './poolers.ts'

/** One lap of one pool. */
export type LapOrder =
  | { lap: 'hand-out'; pool: string; callers: number; seconds: number }
  | { lap: 'queue'; pool: string; waiters: number; seconds: number }
  | { lap: 'time-out'; pool: string; waiters: number; timeout: number }

const connections = 10

const order = JSON.parse(process.argv[2]!) as LapOrder
const pooler = poolers.find(({ name }) => name === order.pool)!
console.log(JSON.stringify(await play()))
// The pools' own timers would go on.
process.exit()

function play() {
  switch (order.lap) {
    case 'hand-out':
      return handOut(pooler.open(connections), order.callers, order.seconds)
    case 'queue':
      return queueUp(pooler.open(connections), order.waiters, order.seconds)
    case 'time-out':
      return timeOut(pooler.open(connections, order.timeout), order.waiters, order.timeout)
  }
}
