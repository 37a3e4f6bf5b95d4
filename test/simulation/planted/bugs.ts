import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The patches lie among the sources, whether this runs from there or from a folder that it was compiled into. */
const folder = join('test', 'simulation', 'planted', 'bugs')

/** One plausible mistake in `src/pooling`, as a patch whose first line says it. */
export interface PlantedBug {
  readonly name: string
  readonly sentence: string
  /** Of `src/pooling`, without its ending. */
  readonly files: readonly string[]
  /** Where the patch lies. */
  readonly path: string
}

/** All planted bugs of the project in the folder `root`, in the order of their names. */
export function plantedBugs(root: string): PlantedBug[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.patch'))
  return names.sort().map((name) => {
    const path = join(root, folder, name)
    const text = readFileSync(path, 'utf8')
    const files = [...text.matchAll(/^\+\+\+ b\/src\/pooling\/([\w-]+)\.ts$/gm)].map(([, file]) => file!)
    return { name: basename(name, '.patch'), sentence: text.slice(0, text.indexOf('\n')), files, path }
  })
}
