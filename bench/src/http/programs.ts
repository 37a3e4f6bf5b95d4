import { spawnSync } from 'node:child_process'
import { type Program, program, pythonWith } from '../runtimes/program.ts'

/** Python with all that the seed's service needs. Uvicorn reads HTTP with httptools where that is installed, else with h11. */
export const fastapi: Program = pythonWith(
  'python3-asyncpg python3-uvloop python3-fastapi python3-uvicorn',
  `import asyncpg, fastapi, json, platform, uvicorn, uvloop
try:
  import httptools as parser
except ImportError:
  import h11 as parser
print(json.dumps({'Python': platform.python_version(), 'asyncpg': asyncpg.__version__, 'uvloop': uvloop.__version__,
  'FastAPI': fastapi.__version__, 'uvicorn': uvicorn.__version__, parser.__name__: parser.__version__}))`,
)

export const wrk: Program = program('apt-get install wrk', () => {
  // It takes the question for its version for a mistake, and ends with 1.
  const { stdout } = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
  const version = /^wrk\D*([\d.]+)/.exec(stdout ?? '')?.[1]
  return version === undefined ? undefined : { path: 'wrk', versions: { wrk: version } }
})
