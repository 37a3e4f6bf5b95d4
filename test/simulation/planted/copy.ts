import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Of a mistake that leaves a name unused, the compiler is not to tell. */
const compilerOptions = {
  extends: './tsconfig.json',
  compilerOptions: {
    noEmit: false,
    rootDir: '.',
    outDir: 'dist',
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['test/simulation/**/*.ts'],
}

/** What the simulation is made of. */
const parts = ['src', 'test/simulation', 'test/pooling/support', 'tsconfig.json', 'package.json']

/** The simulation and the pool that it runs, in a folder of its own, so that it can be broken there. */
export class Copy {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Copies from the project in the folder `root`. */
  static async of(root: string): Promise<Copy> {
    const folder = await mkdtemp(join(tmpdir(), 'rockpool-planted-'))
    const isNeeded = (path: string) => !path.endsWith('.test.ts') && !path.endsWith('planted')
    for (const part of parts) {
      await cp(join(root, part), join(folder, part), { recursive: true, filter: isNeeded })
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
    await writeFile(join(folder, 'tsconfig.copy.json'), JSON.stringify(compilerOptions))
    return new Copy(folder)
  }

  /** @throws What `git apply` says where the patch does not fit. */
  async apply(patch: string): Promise<void> {
    await run('git', ['apply', patch], this.#options)
  }

  /** @throws What `git apply` says where the patch would not fit. */
  async accepts(patch: string): Promise<void> {
    await run('git', ['apply', '--check', patch], this.#options)
  }

  /**
   * Returns the compiled simulation, for node to run.
   *
   * @throws What the compiler says where it has errors.
   */
  async compile(): Promise<string> {
    const compiler = join('node_modules', 'typescript', 'bin', 'tsc')
    await run(process.execPath, [compiler, '-p', 'tsconfig.copy.json'], this.#options)
    return join(this.folder, 'dist', 'test', 'simulation', 'main.js')
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  /** A repository around the temporary folder is not git's concern. */
  get #options() {
    return { cwd: this.folder, env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(this.folder) } }
  }
}
