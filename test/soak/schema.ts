import { world } from '../pool/support/tenants.ts'
import { soakRole } from './server.ts'

export const accounts = 200
export const startingBalance = 1_000_000
/** What a fault sets as the server's `statement_timeout`, so that nobody takes it for another session's. */
export const serverStatementTimeout = '77ms'

/** What the load works on, for the superuser to make. A batch's rows come all together: each tells how many they are. */
export const schema = `
  ${world};
  create role ${soakRole.name} login password '${soakRole.password}' in role tenant;
  create role stranger login;
  create table accounts (id int primary key, balance bigint not null);
  insert into accounts select n, ${startingBalance} from generate_series(1, ${accounts}) n;
  create table transfers (id int not null, debtor int not null, creditor int not null, amount int not null);
  create index on transfers (id);
  create table batches (id int not null, size int not null, n int not null check (n >= 0), label text);
  create index on batches (id);
  create table shapes (id int primary key, label text not null, extra int);
  insert into shapes select n, 'shape ' || n, n from generate_series(1, 100) n;
  create table uniques (id int primary key);
  insert into uniques values (1);
  grant all on all tables in schema public to public;`

/** How often each write of `$1` is there: a batch that is not whole is there a fraction of a time. */
export const copiesOf = `
  select id, count(*)::float8 as copies from transfers where id = any($1) group by id
  union all
  select id, count(*)::float8 / min(size) as copies from batches where id = any($1) group by id`

/** The same of all writes: how many there are, and those that are not there exactly once. */
export const allWrites = `
  with written as (
    select id, count(*)::float8 as copies from transfers group by id
    union all
    select id, count(*)::float8 / min(size) as copies from batches group by id)
  select count(*)::int as writes, coalesce(array_agg(id) filter (where copies <> 1), '{}') as broken from written`

export const totalBalance = 'select sum(balance)::float8 as total from accounts'

/** The accounts whose balance is not what their transfers make of it. */
export const unbalanced = `
  with moved as (
    select account, sum(amount) as amount from (
      select creditor as account, amount from transfers union all select debtor, -amount from transfers) m
    group by account)
  select id, balance::float8 as balance, ${startingBalance} + coalesce(amount, 0)::float8 as expected
  from accounts left join moved on account = id
  where balance <> ${startingBalance} + coalesce(amount, 0)`
