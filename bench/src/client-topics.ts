import type { Contest } from './contests/contest.ts'
import { contests } from './contests/contests.ts'
import { plotsOf, tableOf, targetsOf } from './contests/standing.ts'
import type { Peer } from './peers/peer.ts'
import { race } from './race.ts'
import { type Absent, ratioNote, type Topic } from './topic.ts'
import { packageVersions } from './versions.ts'

/** The contests of client libraries, as topics of the report. */
export const clientTopics: readonly Topic[] = contests.map(topicOf)

export function topicOf(contest: Contest): Topic {
  return {
    name: contest.name,
    peers: contest.peers.map(({ name }) => name),
    async measure(run) {
      const chosen = contest.peers.filter(({ name }) => run.takes(name))
      const peers = chosen.filter((peer) => missing(peer).length === 0)
      const standing = { contest, peers, laps: peers.length === 0 ? [] : await race(run, contest, peers) }
      return {
        title: contest.title,
        notes: [...contest.notes, ...ratioNote(peers.map(({ name }) => name))],
        tables: [tableOf(standing)],
        targets: targetsOf(standing),
        absent: chosen.flatMap(missing),
        versions: Object.assign({}, ...peers.map(versionsOf)),
        plots: plotsOf(standing),
      }
    },
  }
}

/** What a peer needs and is not installed. */
function missing({ name, runtime, needs }: Peer): Absent[] {
  return [runtime, ...(needs === undefined ? [] : [needs])]
    .filter((program) => program.found() === undefined)
    .map(({ install }) => ({ name, install }))
}

function versionsOf({ library, runtime, needs }: Peer): Record<string, string> {
  return {
    ...packageVersions(library === undefined ? [] : [library]),
    ...runtime.found()?.versions,
    ...needs?.found()?.versions,
  }
}
