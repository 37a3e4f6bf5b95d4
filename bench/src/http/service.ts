import { fileURLToPath } from 'node:url'
import { type Figures, interleave, middle, ratio } from '../rounds.ts'
import { milliseconds, times, whole } from '../table.ts'
import { atLeast, type Finding, type Run, ratioNote, type Table, type Target, type Topic } from '../topic.ts'
import { packageVersions } from '../versions.ts'
import { fastapi, wrk } from './programs.ts'
import { type ServerProcess, type ServerProgram, startServer } from './server-process.ts'
import { checkSample, countTasks, fill, ownSchema, tasks } from './stage.ts'
import { load } from './wrk.ts'

const connections = 50

const node = (name: string): ServerProgram => ({
  command: process.execPath,
  args: [fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url))],
})

const folder = fileURLToPath(new URL('bench/src/http/fastapi', import.meta.resolve('rockpool/package.json')))
const uvicorn = ['--host', '127.0.0.1', '--port', '0', '--loop', 'uvloop', '--no-access-log']

const leases = 'rockpool: injected leases'
const oneShots = 'rockpool: one-shots'
const fastifyPg = 'Fastify + pg.Pool'
const seed = 'FastAPI + uvicorn + asyncpg'

/** Who answers, by which program, and where it reads and makes tasks. */
interface Contestant {
  name: string
  program: 'service' | 'fastify-pg' | 'fastapi'
  get: string
  posts: boolean
}

const contestants: readonly Contestant[] = [
  { name: leases, program: 'service', get: '/tasks/', posts: true },
  { name: oneShots, program: 'service', get: '/one-shots/tasks/', posts: false },
  { name: fastifyPg, program: 'fastify-pg', get: '/tasks/', posts: true },
  { name: seed, program: 'fastapi', get: '/tasks/', posts: true },
]

const programs: Record<Contestant['program'], () => ServerProgram> = {
  service: () => node('rockpool'),
  'fastify-pg': () => node('fastify-pg'),
  fastapi: () => ({
    command: fastapi.found()!.path,
    args: ['-B', '-m', 'uvicorn', '--app-dir', folder, ...uvicorn, 'app:app'],
  }),
}

/** The task service beside what it might have been written with. */
export const service: Topic = {
  name: 'HTTP',
  peers: contestants.map(({ name }) => name),

  async measure(run: Run): Promise<Finding> {
    const chosen = contestants.filter(
      ({ name, program }) => run.takes(name) && (program !== 'fastapi' || fastapi.found() !== undefined),
    )
    const absent = [
      ...(wrk.found() === undefined ? [{ name: 'wrk, without which HTTP is not measured', ...wrk }] : []),
      ...(run.takes(seed) && fastapi.found() === undefined ? [{ name: seed, ...fastapi }] : []),
    ].map(({ name, install }) => ({ name, install }))
    const heats =
      wrk.found() === undefined
        ? []
        : await withServers(run, chosen, (origins, dsn) => play(run, chosen, origins, dsn))
    return {
      title: `The task service: HTTP over ${connections} connections`,
      notes: [
        'wrk asks for one task of 1,000 by its id, another one each time, or makes one. Each server is one process with 10 ' +
          'to 20 connections, and checks its input; rockpool and asyncpg reset each connection before its next user, ' +
          'pg.Pool does not. The FastAPI service is the one of the seed document.',
        ...ratioNote(chosen.map(({ name }) => name)),
      ],
      tables: heats.length === 0 ? [] : [table(heats)],
      targets: heats.flatMap(targets),
      absent,
      versions: {
        ...packageVersions(['rockpool', 'fastify', 'pg']),
        ...(chosen.some(({ name }) => name === seed) && fastapi.found()?.versions),
        ...wrk.found()?.versions,
      },
    }
  },
}

/** One kind of request. */
interface Heat {
  request: string
  names: string[]
  lanes: Figures[][]
}

type Origins = ReadonlyMap<Contestant['program'], string>

/** All servers run at once: one that nobody asks takes no time from the others. */
async function withServers<T>(
  { dsn, tell }: Run,
  chosen: readonly Contestant[],
  work: (origins: Origins, dsn: string) => Promise<T>,
): Promise<T> {
  const schema = await ownSchema(dsn)
  const running = new Map<Contestant['program'], ServerProcess>()
  const environment = { DATABASE_URL: schema.dsn, NODE_ENV: 'production' }
  try {
    // The service first: it makes the table.
    for (const program of new Set<Contestant['program']>([
      'service',
      ...chosen.map(({ program }) => program),
    ])) {
      tell(`starts ${program}`)
      running.set(program, await startServer(programs[program](), environment))
    }
    await fill(schema.dsn)
    return await work(new Map([...running].map(([program, { origin }]) => [program, origin])), schema.dsn)
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()))
    await schema.drop()
  }
}

async function play(
  { rounds, seconds, signal, tell }: Run,
  chosen: readonly Contestant[],
  origins: Origins,
  dsn: string,
): Promise<Heat[]> {
  const size = { connections, signal }
  const post = (origin: string) => async (length: number) => {
    const before = await countTasks(dsn)
    const figures = await load(origin, ['post'], { ...size, seconds: length })
    const made = (await countTasks(dsn)) - before
    // What was under way at the end of this load, and of the one before it, is not among the answers.
    if (made < figures.requests || made > figures.requests + 2 * connections) {
      throw new Error(`${figures.requests} tasks were said to be made, and ${made} were`)
    }
    return figures
  }
  const get = (origin: string, path: string) => async (length: number) => {
    await checkSample(origin, path)
    const figures = await load(origin, ['get', path, String(tasks)], { ...size, seconds: length })
    await checkSample(origin, path)
    return figures
  }
  const heat = async (request: string, entrants: readonly Entrant[]): Promise<Heat> => {
    tell(request)
    for (const { lap } of entrants) await lap(1)
    const lanes = await interleave(
      entrants.map(
        ({ lap }) =>
          () =>
            lap(seconds),
      ),
      rounds,
    )
    return { request, names: entrants.map(({ name }) => name), lanes }
  }
  const on = ({ program }: Contestant) => origins.get(program)!
  const making = chosen.filter(({ posts }) => posts)
  return [
    await heat(
      'POST /tasks',
      making.map((one) => ({ name: one.name, lap: post(on(one)) })),
    ),
    await heat(
      'GET /tasks/{id}',
      chosen.map((one) => ({ name: one.name, lap: get(on(one), one.get) })),
    ),
  ].filter(({ names }) => names.length > 0)
}

interface Entrant {
  name: string
  lap(seconds: number): Promise<Figures>
}

function table(heats: readonly Heat[]): Table {
  return {
    columns: [
      { title: 'request', align: 'left' },
      { title: 'who', align: 'left' },
      { title: 'requests/s', align: 'right' },
      { title: 'p50 ms', align: 'right' },
      { title: 'p99 ms', align: 'right' },
      { title: 'requests/s: ratio', align: 'right' },
    ],
    rows: heats.flatMap(({ request, names, lanes }) =>
      names.map((name, index) => [
        index === 0 ? request : '',
        name,
        whole(middle('rate', lanes[index]!)),
        milliseconds(middle('p50', lanes[index]!)),
        milliseconds(middle('p99', lanes[index]!)),
        index === 0 ? '' : times(ratio('rate', lanes[0]!, lanes[index]!)),
      ]),
    ),
  }
}

/** Ours, theirs, and how many times theirs it shall be. */
const goals: Record<string, readonly (readonly [string, string, number])[]> = {
  'POST /tasks': [
    [leases, seed, 4],
    [leases, fastifyPg, 1.2],
  ],
  'GET /tasks/{id}': [
    [leases, seed, 5],
    [leases, fastifyPg, 1.2],
    [oneShots, fastifyPg, 1.6],
  ],
}

function targets({ request, names, lanes }: Heat): Target[] {
  return goals[request]!.flatMap(([own, base, bound]) => {
    const ours = lanes[names.indexOf(own)]
    const theirs = lanes[names.indexOf(base)]
    if (ours === undefined || theirs === undefined) return []
    return [atLeast(`${request}, ${own}: requests/s`, ratio('rate', ours, theirs), bound, base)]
  })
}
