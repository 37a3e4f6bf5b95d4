import type { Faults, ProxiedConnection } from '../../../src/testing/index.ts'
import { longestSilence } from '../pool-plans.ts'
import { type Fault, lasting, type Scene } from './fault.ts'

/** What lasts for seconds, and is healed then. */
function lastingFault(name: string, begin: (scene: Scene) => unknown): Fault {
  return {
    name,
    run: async (scene) => {
      await begin(scene)
      try {
        await lasting(scene, 1, 5)
      } finally {
        await heal(scene)
      }
    },
  }
}

async function heal({ proxy }: Scene): Promise<void> {
  proxy.heal()
  await proxy.accept()
}

/** What is lost is never told: those connections stay silent, and end as where routers have forgotten them. */
function losing(name: string, way: (scene: Scene) => Faults): Fault {
  let silent: readonly ProxiedConnection[] = []
  return {
    name,
    silence: longestSilence,
    run: async (scene) => {
      way(scene).drop()
      try {
        await lasting(scene, 1, 5)
      } finally {
        silent = [...scene.proxy.connections]
        await heal(scene)
      }
    },
    tidyUp: () => {
      for (const connection of silent) connection.reset()
      silent = []
    },
  }
}

/** What can happen between the pools that go by the proxy and the server. */
export const networkFaults: readonly Fault[] = [
  { name: 'all connections reset', run: async ({ proxy }) => proxy.reset() },
  { name: 'all connections ended', run: async ({ proxy }) => proxy.end() },
  lastingFault('network held, both ways', ({ proxy }) => proxy.hold()),
  lastingFault('network held, to the client', ({ proxy }) => proxy.toClient.hold()),
  lastingFault('network held, to the server', ({ proxy }) => proxy.toServer.hold()),
  losing('packets lost, both ways', ({ proxy }) => proxy),
  losing('packets lost, to the client', ({ proxy }) => proxy.toClient),
  losing('packets lost, to the server', ({ proxy }) => proxy.toServer),
  lastingFault('latency and jitter', ({ proxy, random }) =>
    proxy.delay(5 + random.below(100), random.below(200)),
  ),
  lastingFault('slices of one byte', ({ proxy }) => proxy.slice(1)),
  lastingFault('ends told late', ({ proxy }) => proxy.holdEnd()),
  lastingFault('connections refused', ({ proxy }) => proxy.refuse()),
  lastingFault('connections refused and reset', async ({ proxy }) => {
    await proxy.refuse()
    proxy.reset()
  }),
  {
    name: 'cancel requests held',
    run: async (scene) => {
      const stop = scene.proxy.onConnection('cancel', (connection) => connection.hold())
      try {
        await lasting(scene, 1, 5)
      } finally {
        stop()
        await heal(scene)
      }
    },
  },
]
