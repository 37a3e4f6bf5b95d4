import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that serves HTTP on the loopback interface, and tells its address. */
export interface ServerProgram {
  command: string
  args: readonly string[]
}

export interface ServerProcess {
  /** `http://127.0.0.1:…` */
  origin: string
  stop(): Promise<void>
}

/**
 * Starts it, and waits until it has told where it listens.
 *
 * @throws Error with what it wrote, where it ends before.
 */
export async function startServer(
  { command, args }: ServerProgram,
  environment: Record<string, string>,
): Promise<ServerProcess> {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let written = ''
  const told = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        written = (written + part).slice(-4_000)
        const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(written) ?? []
        if (origin !== undefined) resolve(origin)
      })
    }
  })
  const origin = await Promise.race([told, ended.then(() => undefined)])
  if (origin === undefined) throw new Error(`${command} ${args.join(' ')} has ended:\n${written}`)
  return {
    origin,
    async stop() {
      child.kill()
      await ended
    },
  }
}
