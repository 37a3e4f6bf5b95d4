import { type Fault, freeze, lasting, poolBackends, signal } from './fault.ts'

const terminate = 'select pg_terminate_backend(pid) from unnest($1::int[]) pid'

/** What can happen to the server's processes. */
export const processFaults: readonly Fault[] = [
  {
    name: 'one backend terminated',
    run: async (scene) =>
      void (await scene.server.query(terminate, [(await poolBackends(scene)).slice(0, 1)])),
  },
  {
    name: 'all backends terminated',
    run: async (scene) => void (await scene.server.query(terminate, [await poolBackends(scene)])),
  },
  {
    name: 'backend killed, server recovers',
    run: async (scene) => signal((await poolBackends(scene)).slice(0, 1), 'SIGKILL'),
  },
  {
    name: 'one backend frozen',
    run: async (scene) => freeze((await poolBackends(scene)).slice(0, 1), () => lasting(scene, 1, 6)),
  },
  {
    name: 'half of the backends frozen',
    run: async (scene) => {
      const backends = await poolBackends(scene)
      await freeze(backends.slice(0, Math.ceil(backends.length / 2)), () => lasting(scene, 1, 6))
    },
  },
  {
    name: 'postmaster frozen',
    run: async (scene) => freeze([await scene.server.postmasterPid()], () => lasting(scene, 1, 5)),
  },
  ...(['fast', 'immediate'] as const).flatMap((mode): Fault[] => [
    {
      name: `restart, ${mode}`,
      run: async ({ server }) => {
        await server.stop(mode)
        await server.start()
      },
    },
    {
      name: `server stopped for seconds, ${mode}`,
      run: async (scene) => {
        await scene.server.stop(mode)
        try {
          await lasting(scene, 1, 5)
        } finally {
          await scene.server.start()
        }
      },
    },
  ]),
]
