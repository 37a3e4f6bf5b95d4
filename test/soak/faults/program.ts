import { longestSilence } from '../pool-plans.ts'
import { type Fault, freeze, lasting } from './fault.ts'

/** What a program does to its own pools, and what is done to a program. */
export const programFaults: readonly Fault[] = [
  { name: 'connections expired', run: async ({ ask }) => ask({ act: 'expire' }) },
  {
    name: 'pools suspended',
    run: async (scene) => {
      scene.ask({ act: 'suspend' })
      try {
        await lasting(scene, 1, 4)
      } finally {
        scene.ask({ act: 'resume' })
      }
    },
  },
  {
    name: 'pools made smaller',
    run: async (scene) => {
      scene.ask({ act: 'shrink' })
      try {
        await lasting(scene, 1, 5)
      } finally {
        scene.ask({ act: 'grow' })
      }
    },
  },
  {
    name: 'event loop stalled',
    run: async (scene) => {
      const ms = 1_000 + scene.random.below(2_000)
      scene.ask({ act: 'stall', ms })
      await scene.pause(ms)
    },
  },
  { name: 'program frozen', run: (scene) => freeze([scene.loadPid], () => lasting(scene, 1, 3)) },
  ...(['close', 'terminate'] as const).map((by): Fault => {
    return {
      name: `pools replaced by ${by}()`,
      silence: longestSilence,
      run: async ({ ask }) => ask({ act: 'replace', by }),
    }
  }),
]
