import { readdir, readFile } from 'node:fs/promises'
import type { Pool } from 'rockpool'

const folder = new URL('../migrations/', import.meta.url)

/** Any number that nothing else in the database uses. */
const lockKey = 72_656_361

/**
 * Runs the SQL files of `migrations/` that this database has not seen, by name, in one transaction: all or none.
 * Services that start side by side wait for each other.
 */
export async function migrate(pool: Pool): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return pool.transaction(async (tx) => {
    await tx.execute('select pg_advisory_xact_lock($1)', [lockKey])
    await tx.execute(
      `create table if not exists schema_migrations (
         name text primary key,
         applied_at timestamptz not null default now()
       )`,
    )
    const rows = await tx.fetch<{ name: string }>('select name from schema_migrations')
    const applied = new Set(rows.map((row) => row.name))
    const missing = files.filter((name) => !applied.has(name))
    for (const name of missing) {
      await tx.execute(await readFile(new URL(name, folder), 'utf8'))
      await tx.execute('insert into schema_migrations (name) values ($1)', [name])
    }
    return missing
  })
}
