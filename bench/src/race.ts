import type { Connection } from 'rockpool'
import type { Contest, Network, Setting } from './contests/contest.ts'
import type { Load } from './measure.ts'
import type { Peer, Place } from './peers/peer.ts'
import { type Entrant, type Figures, playRounds } from './rounds.ts'
import { type Contestant, startContestant } from './runtimes/contestant.ts'
import { staged } from './staged.ts'
import type { Stage } from './workloads/workload.ts'

/** One setting: the rounds of each peer, in the peers' order. */
export interface Lap {
  setting: Setting
  rounds: Figures[][]
}

export interface RacePlan {
  /** With its password: not for output. */
  dsn: string
  rounds: number
  /** The length of one measurement. */
  seconds: number
  signal: AbortSignal
  /** Says what is measured now. */
  tell(line: string): void
  /** Starts a peer. Default: a process of its own. */
  start?: (contest: string, peer: Peer) => Contestant
}

/** Measures the peers of a contest at each of its settings. */
export function race(
  { dsn, start = startContestant, tell, ...plan }: RacePlan,
  contest: Contest,
  peers: readonly Peer[],
): Promise<Lap[]> {
  return staged(dsn, contest.stage, async (connection, schema) => {
    const started: Contestant[] = []
    const starting = (peer: Peer) => {
      const contestant = start(contest.name, peer)
      started.push(contestant)
      return contestant
    }
    const network = await contest.network?.(dsn)
    try {
      const lappers = peers.map((peer) =>
        contest.freshProcesses === true ? freshly(() => starting(peer)) : starting(peer).lap,
      )
      const laps: Lap[] = []
      for (const setting of contest.settings) {
        tell(`${setting.callers} callers, ${setting.connections} connections`)
        const place = { dsn: network?.dsn ?? dsn, schema, connections: setting.connections }
        const entrants = lappers.map((lap) => entrant(lap, contest.stage, place, connection, network))
        laps.push({ setting, rounds: await playRounds(entrants, { ...plan, callers: setting.callers }) })
      }
      return laps
    } finally {
      await Promise.all(started.map((contestant) => contestant.close()))
      await network?.close()
    }
  })
}

type Lapper = (place: Place, load: Load) => Promise<Figures>

function freshly(start: () => Contestant): Lapper {
  return async (place, load) => {
    const contestant = start()
    const figures = await contestant.lap(place, load)
    await contestant.close()
    return figures
  }
}

function entrant(
  lap: Lapper,
  stage: Stage,
  place: Place,
  connection: Connection,
  network: Network | undefined,
): Entrant<Figures> {
  return async (load) => {
    await stage.before?.(connection, place.schema)
    const figures = { ...(await lap(place, load)), ...network?.seen() }
    await stage.after?.(connection, place.schema, figures)
    return figures
  }
}
