import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { until } from '../../../../test/support/until.ts'

export const projectFolder = fileURLToPath(new URL('../../../../', import.meta.url))

/** A started program, with all that it wrote. */
export interface Started {
  child: ChildProcess
  output: () => string
  /** Its exit code, or the signal that ended it. */
  exit: Promise<number | NodeJS.Signals>
}

/** Runs a program in a process group of its own, without this process's settings of the service or of PostgreSQL. */
export function start(command: string, args: string[], env: NodeJS.ProcessEnv, cwd = projectFolder): Started {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(PG|POOL_|DATABASE_URL|VITEST)/.test(name),
  )
  const child = spawn(command, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const exit = once(child, 'close').then(([code, signal]) => code ?? signal)
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    // In order, so that an embedded server ends with it.
    process.kill(-child.pid!, 'SIGTERM')
    const force = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 10_000)
    await exit
    clearTimeout(force)
  })
  return { child, output: () => output, exit }
}

/** The built service, as `npm start` runs it. */
export function startService(env: NodeJS.ProcessEnv, cwd?: string): Started {
  return start(process.execPath, [`${projectFolder}apps/tasks/dist/main.js`], env, cwd)
}

/** Where it listens, once it says so. */
export function address({ output }: Started): Promise<string> {
  return until(
    'the service listens',
    () => /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(output())?.[1],
    20_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it said:\n${output()}`)
  })
}
