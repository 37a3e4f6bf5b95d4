import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { PlantedBug } from './bugs.ts'
import { Copy } from './copy.ts'
import { type Extent, type Outcome, simulate } from './trial.ts'

/** What became of one planted bug. */
export type Finding = Outcome | { kind: 'broken'; detail: string }

/** The folder of the project, whether this runs from its sources or from a folder that it was compiled into. */
export function projectRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** Works on a copy of the project in the folder `root`, and removes it. */
export async function inCopy<T>(root: string, work: (copy: Copy) => Promise<T>): Promise<T> {
  const copy = await Copy.of(root)
  try {
    return await work(copy)
  } finally {
    await copy.remove()
  }
}

/** Has the simulation look for `bug`, planted in a copy of what is in the folder `root`. */
export function lookFor(root: string, bug: PlantedBug, extent: Extent): Promise<Finding> {
  return inCopy(root, async (copy) => {
    let program: string
    try {
      await copy.apply(bug.path)
      program = await copy.compile()
    } catch (error) {
      return { kind: 'broken', detail: complaint(error) }
    }
    return simulate(program, extent)
  })
}

/** What the program that failed wrote: git on one stream, the compiler on the other. */
function complaint(error: unknown): string {
  const { stderr, stdout } = error as { stderr?: string; stdout?: string }
  return (stderr || stdout || String(error)).trim()
}
