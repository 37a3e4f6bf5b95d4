import type { Connection } from '../../../src/index.ts'

/** A small generator of its own, so that a seed replays (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, but not including, `n`; whole. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % n
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

/** What a tenant can leave behind, by the column of `probe` that would show it. */
const kinds = {
  setting: "set work_mem = '77MB'",
  tenant: "set app.tenant = 'secret'",
  path: 'set search_path = hostile, pg_catalog',
  timeout: "set statement_timeout = '1ms'",
  role: 'set role tenant',
  session: 'set session authorization tenant',
  temporary: 'create temp table secret as select 1 as n',
  prepared: 'prepare secret as select 1',
  lock: 'select pg_advisory_lock_shared(1)',
  channel: 'listen secret',
  cursor: 'declare secret cursor with hold for select 1',
  sequence: "select nextval('public.numbers')",
} as const

export type Kind = keyof typeof kinds
const allKinds = Object.keys(kinds) as Kind[]

/** What a function may do to the session in spite of being inside a statement. */
const insideFunctions = allKinds.filter((kind) => kind !== 'session')

/** What leaves those who come next able to work, so that it may be left to them where docs/reset.md allows that. */
const mild: readonly Kind[] = ['setting', 'tenant', 'lock', 'channel', 'prepared']

/** For the tenants to do harm with: functions, views and triggers. */
export const world = `
  do $$ begin create role tenant; exception when unique_violation or duplicate_object then null; end $$;
  create sequence numbers;
  create table trapped (kind text);
  insert into trapped select 'none';
  create schema hostile;
  grant usage on schema hostile to public;
  create function hostile.pg_advisory_unlock_all() returns void language sql as 'select';
  create function hostile.set_config(text, text, boolean) returns text language sql as 'select null::text';
  create function touch(kind text) returns text language plpgsql as $$ begin
    case kind ${insideFunctions.map((kind) => `when '${kind}' then execute $q$${kinds[kind]}$q$;`).join(' ')}
    else null; end case; return kind; end $$;
  create procedure touch_by_call(kind text) language plpgsql as $$ begin perform public.touch(kind); end $$;
  create function spring() returns trigger language plpgsql as $$ begin perform public.touch(new.kind); return new; end $$;
  create trigger spring before insert or update on trapped for each row execute function spring();
  ${insideFunctions.map((kind) => `create view peek_${kind} as select public.touch('${kind}') as touched;`).join('\n  ')}
  grant all on all tables in schema public to public;
  grant all on sequence numbers to public`

/** The session's state, a column a kind, in words that `reset: 'auto'` knows to touch nothing. */
export const probe = `select current_setting('work_mem') as setting, nullif(current_setting('app.tenant', true), '') as tenant,
  current_setting('search_path') as path, current_setting('statement_timeout') as timeout, current_user::text as role,
  session_user::text as session, pg_catalog.to_regclass('pg_temp.secret')::text as temporary,
  (select count(*)::int from pg_catalog.pg_prepared_statements where from_sql) as prepared,
  (select count(*)::int from pg_catalog.pg_locks where locktype = 'advisory' and pid = pg_catalog.pg_backend_pid()) as lock,
  (select count(*)::int from pg_catalog.pg_listening_channels()) as channel,
  (select count(*)::int from pg_catalog.pg_cursors where name = 'secret') as cursor,
  pg_catalog.pg_backend_pid() as pid`

/** One way to leave something behind. `hidden`: the statement's text does not tell. */
export interface Deed {
  kind: Kind
  sql: string
  hidden: boolean
}

/** `careful`: what is hidden is mild. */
export function randomDeed(random: Random, careful: boolean): Deed {
  const how = random.below(6)
  if (how < 2) {
    const kind = random.pick(allKinds)
    return { kind, sql: kinds[kind], hidden: false }
  }
  const hidden = how >= 4
  const kind = random.pick(hidden && careful ? mild : insideFunctions)
  switch (how) {
    case 2:
      return { kind, sql: `select ${random.chance(50) ? 'public.' : ''}touch('${kind}')`, hidden }
    case 3:
      return random.chance(50)
        ? { kind, sql: `do $$ begin perform public.touch('${kind}'); end $$`, hidden }
        : { kind, sql: `call public.touch_by_call('${kind}')`, hidden }
    case 4:
      return { kind, sql: `select touched from public.peek_${kind}`, hidden }
    default:
      return { kind, sql: `update public.trapped set kind = '${kind}'`, hidden }
  }
}

/** How a tenant leaves. What it left running is answered to nobody. */
export type Leaving =
  | 'in order'
  | 'in a transaction'
  | 'in a failed transaction'
  | 'aborted'
  | 'running'
  | 'killed'

const leavings: readonly Leaving[] = [
  'in order',
  'in order',
  'in order',
  'in a transaction',
  'in a failed transaction',
  'aborted',
  'running',
]

export function randomLeaving(random: Random): Leaving {
  return random.chance(3) ? 'killed' : random.pick(leavings)
}

const unheard = (promise: Promise<unknown>) =>
  promise.then(
    () => {},
    () => {},
  )

/** The tenant's last moments; `kill` ends its server process. */
export async function leave(
  connection: Connection,
  leaving: Leaving,
  kill: (pid: number) => Promise<unknown>,
): Promise<void> {
  switch (leaving) {
    case 'in a transaction':
      await unheard(connection.execute('begin; insert into public.trapped values (null)'))
      break
    case 'in a failed transaction':
      await unheard(connection.execute('begin'))
      await unheard(connection.execute("set local work_mem = '66MB'; select 1/0"))
      break
    case 'aborted': {
      const controller = new AbortController()
      const running = unheard(connection.execute('select pg_sleep(9)', [], { signal: controller.signal }))
      await new Promise((resolve) => setImmediate(resolve))
      controller.abort(new Error('left'))
      await running
      break
    }
    case 'running':
      void unheard(connection.execute("set work_mem = '66MB'; select pg_sleep(9)"))
      break
    case 'killed':
      void unheard(kill(connection.processId))
      break
    case 'in order':
  }
  await connection.release()
}
