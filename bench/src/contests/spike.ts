import { FaultProxy } from 'rockpool/testing'
import { spikePeers } from '../peers/spike.ts'
import { milliseconds, whole } from '../table.ts'
import { spikeSettings, spikeStage } from '../workloads/spike.ts'
import type { Contest, Network } from './contest.ts'

const { callers, connections, warm, connectLatency } = spikeSettings

export const spike: Contest = {
  name: 'spike',
  title: `A spike: ${callers} callers at once on ${warm} open connections of at most ${connections}`,
  notes: [`A connect takes ${connectLatency} ms, by a proxy; the statement takes 2 ms.`],
  stage: spikeStage,
  peers: spikePeers,
  by: 'callers',
  settings: [{ callers, connections }],
  columns: [
    { title: 'half served, ms', figure: 'p50', render: milliseconds },
    { title: 'all served, ms', figure: 'last', render: milliseconds },
    { title: 'connections', figure: 'opened', render: whole },
  ],
  compared: ['last'],
  network: slowToConnect,
  goals: [{ own: spikePeers[0]!.name, of: 'ms', figure: 'last', is: 'at most', bound: 30 }],
}

/** A proxy that keeps the first bytes of each connection back. */
async function slowToConnect(dsn: string): Promise<Network> {
  const url = new URL(dsn)
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port || 5432) })
  let opened = 0
  proxy.onConnection((connection) => {
    opened++
    connection.toServer.delay(connectLatency)
    connection.toClient.at(1, () => connection.toServer.delay(0))
  })
  url.hostname = proxy.host
  url.port = String(proxy.port)
  return {
    dsn: url.href,
    seen() {
      const since = { opened }
      opened = 0
      return since
    },
    close: () => proxy.close(),
  }
}
