import { expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'

it('without an environment the pool has the settings of the seed', () => {
  expect(readConfig({ NODE_ENV: 'production' })).toEqual({
    host: '127.0.0.1',
    port: 3000,
    databaseUrl: undefined,
    dataFolder: undefined,
    pool: {
      minSize: 10,
      maxSize: 20,
      commandTimeout: '60s',
      maxQueries: 50_000,
      maxInactiveConnectionLifetime: '300s',
    },
  })
})

it('every setting follows its variable', () => {
  const config = readConfig({
    HOST: '0.0.0.0',
    PORT: '8080',
    DATABASE_URL: 'postgres://db/tasks',
    ROCKPOOL_DATA_DIR: '/srv/tasks',
    NODE_ENV: 'production',
    POOL_MIN_SIZE: '0',
    POOL_MAX_SIZE: '5',
    POOL_COMMAND_TIMEOUT: '1500',
    POOL_MAX_QUERIES: '0',
    POOL_MAX_INACTIVE_CONNECTION_LIFETIME: '5min',
    POOL_ACQUIRE_TIMEOUT: '2s',
  })
  expect(config).toEqual({
    host: '0.0.0.0',
    port: 8080,
    databaseUrl: 'postgres://db/tasks',
    dataFolder: '/srv/tasks',
    pool: {
      minSize: 0,
      maxSize: 5,
      commandTimeout: 1500,
      maxQueries: 0,
      maxInactiveConnectionLifetime: '5min',
      acquireTimeout: '2s',
    },
  })
})

it('R17: outside production leaks and deadlocks are looked for', () => {
  const watched = { leakThreshold: '30s', detectDeadlocks: true }
  expect(readConfig({}).pool).toMatchObject(watched)
  expect(readConfig({ NODE_ENV: 'test' }).pool).toMatchObject(watched)
})

it('a maximum below ten lowers the minimum', () => {
  expect(readConfig({ POOL_MAX_SIZE: '4' }).pool).toMatchObject({ minSize: 4, maxSize: 4 })
})

it('an empty variable counts as unset', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual(readConfig({}))
})

it.for([
  [{ PORT: 'http' }, 'PORT: "http" is not a whole number from 0 to 65535'],
  [{ PORT: '70000' }, 'PORT: "70000" is not a whole number from 0 to 65535'],
  [{ POOL_MAX_SIZE: '0' }, 'POOL_MAX_SIZE: "0" is not a whole number from 1 up'],
  [{ POOL_MIN_SIZE: '-1' }, 'POOL_MIN_SIZE: "-1" is not a whole number from 0 up'],
  [{ POOL_MAX_QUERIES: '1.5' }, 'POOL_MAX_QUERIES: "1.5" is not a whole number from 0 up'],
  [
    { POOL_MIN_SIZE: '9', POOL_MAX_SIZE: '4' },
    'POOL_MIN_SIZE 9 is greater than POOL_MAX_SIZE 4: change either',
  ],
  [
    { POOL_COMMAND_TIMEOUT: 'soon' },
    'POOL_COMMAND_TIMEOUT: "soon" is not a duration: give milliseconds (500) or a unit (500ms, 60s, 5min)',
  ],
] as const)('%o is refused by name', ([env, message]) => {
  expect(() => readConfig(env)).toThrow(message)
})
