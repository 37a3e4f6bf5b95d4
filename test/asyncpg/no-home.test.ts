import { expect, it, vi } from 'vitest'
import { connect } from '../../src/index.ts'
import { anyServer } from '../support/servers.ts'

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  homedir: () => {
    throw new Error('ENOENT: this user has no home')
  },
}))

it('a user without a home connects with what else is given', async () => {
  const connection = await connect(anyServer().dsn)
  expect(await connection.fetchVal('select 42')).toBe(42)
  await connection.close()
})
