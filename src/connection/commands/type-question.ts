import type { RockpoolError } from '../../errors.ts'
import type { TypeDescription, TypeRegistry } from '../../wire/codecs/index.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { BodyReader } from '../../wire/messages.ts'
import type { CommandHost } from './command.ts'
import { SimpleQuery } from './simple-command.ts'
import { readTypeDescription } from './type-description.ts'

/**
 * What pg_type and pg_attribute say of the types and of all that they are made of, one JSON object a type. Every name
 * and operator is qualified, so that no search_path diverts it; whoever may connect may ask. Only array_send makes
 * the arrays that are read as such (int2vector has a form of its own).
 */
function typesQuery(oids: readonly number[]): string {
  return `with recursive part(oid) as (
  select t.oid from pg_catalog.pg_type t
  where t.oid operator(pg_catalog.=) any ('{${oids.join(',')}}'::pg_catalog.oid[])
  union
  select inner_type.oid from part
  join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) part.oid
  cross join lateral (
    select t.typelem as oid where t.typsend operator(pg_catalog.=) 'pg_catalog.array_send'::pg_catalog.regproc
    union all select t.typbasetype
    union all select a.atttypid from pg_catalog.pg_attribute a
    where t.typtype operator(pg_catalog.=) 'c' and a.attrelid operator(pg_catalog.=) t.typrelid
      and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
  ) inner_type
  where inner_type.oid operator(pg_catalog.<>) 0
)
select pg_catalog.json_build_object(
  'oid', t.oid::pg_catalog.int8,
  'schema', n.nspname,
  'name', t.typname,
  'kind', case
    when t.typtype operator(pg_catalog.=) 'e' then 'enum'
    when t.typtype operator(pg_catalog.=) 'd' then 'domain'
    when t.typtype operator(pg_catalog.=) 'c' then 'composite'
    when t.typsend operator(pg_catalog.=) 'pg_catalog.array_send'::pg_catalog.regproc then 'array'
    else 'other' end,
  'inner', (case when t.typtype operator(pg_catalog.=) 'd' then t.typbasetype else t.typelem end)::pg_catalog.int8,
  'delimiter', coalesce(
    (select e.typdelim from pg_catalog.pg_type e where e.oid operator(pg_catalog.=) t.typelem), ','),
  'attributes', coalesce((
    select pg_catalog.json_agg(
      pg_catalog.json_build_object('name', a.attname, 'oid', a.atttypid::pg_catalog.int8) order by a.attnum)
    from pg_catalog.pg_attribute a
    where t.typtype operator(pg_catalog.=) 'c' and a.attrelid operator(pg_catalog.=) t.typrelid
      and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped), '[]'::pg_catalog.json))
from part
join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) part.oid
join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) t.typnamespace`
}

/**
 * Asks the server for types that a statement needs, before it is executed, and teaches them to the connection's
 * registry. It goes by the simple protocol: like everything that must work behind a bouncer, it keeps no statement.
 */
export class TypeQuestion extends SimpleQuery<void> {
  readonly #types: TypeRegistry
  readonly #oids: readonly number[]
  readonly #failed: (reason: unknown) => void
  readonly #descriptions: TypeDescription[] = []

  /** @param failed told, before anything more is written, that there will be no answer */
  constructor(
    host: CommandHost,
    types: TypeRegistry,
    oids: readonly number[],
    failed: (reason: unknown) => void = () => {},
  ) {
    super(host, typesQuery(oids))
    this.#types = types
    this.#oids = oids
    this.#failed = failed
    // Whoever does not wait for the promise is told by `failed`.
    this.promise.catch(() => {})
  }

  override dataRow(bytes: Buffer, start: number, end: number): void {
    const body = new BodyReader(bytes, start, end)
    if (body.uint16() !== 1) throw brokenProtocol('a type was described in more than one column')
    this.#descriptions.push(readTypeDescription(body.bytes(body.int32()).toString()))
  }

  protected override complete(): { value: undefined } {
    this.#types.learn(this.#oids, this.#descriptions)
    return { value: undefined }
  }

  protected override learn(failure: RockpoolError): void {
    this.#failed(failure)
  }
}
