import { expect, it } from 'vitest'
import { connect } from '../../src/index.ts'
import { servers } from '../support/servers.ts'

it.for(servers())(
  'notices come with the statement that raises them, and its errors are not among them, on PostgreSQL $major',
  async (server) => {
    const connection = await connect(server.dsn, { serverSettings: { client_min_messages: 'notice' } })
    const heard: string[] = []
    connection.addLogListener(async ({ message, sqlState }) => heard.push(`${sqlState} ${message}`))
    await connection.execute(
      `create function pg_temp.noisy(i int) returns int language plpgsql as $$ begin
         raise notice '1_%', i; perform pg_sleep(0.01); raise notice '2_%', i; return i; end $$`,
    )
    for (let i = 0; i < 10; i++) {
      await connection.fetchVal('select pg_temp.noisy($1)', [i])
      expect(heard.splice(0)).toEqual([`00000 1_${i}`, `00000 2_${i}`])
    }
    const raise = (level: string, code: string) =>
      connection.execute(`do $$ begin raise ${level} 'catch me!' using errcode = '${code}'; end $$`)
    await raise('warning', '01004')
    await expect(raise('exception', '22018')).rejects.toMatchObject({ sqlState: '22018' })
    expect(heard).toEqual(['01004 catch me!'])
    await connection.close()
  },
)
