import { parameter, quotedName, sqlTokens } from '../sql/sql-tokens.ts'

/** The parts of a session's state that a statement can touch and a reset can restore, as bits. */
export const SessionPart = {
  role: 1,
  settings: 2,
  cursors: 4,
  channels: 8,
  temporaryObjects: 16,
  sequences: 32,
  locks: 64,
  statements: 128,
} as const

/** A set of `SessionPart`s. */
export type SessionParts = number

export const noPart: SessionParts = 0
export const everyPart: SessionParts = 255

/** Longer texts are not read: they count as touching everything. */
const longest = 65_536
/** Texts whose parts are remembered, and the longest of them; when there are more, it starts anew. */
const remembered = 2_000
const longestRemembered = 2_000
const known = new Map<string, SessionParts>()

/**
 * What of the session's state running `sql` can touch, as far as its text tells; docs/reset.md has the rule and what
 * the text cannot tell. In doubt, and where there is no text: everything.
 */
export function partsTouchedBy(sql: string | undefined): SessionParts {
  if (sql === undefined || sql.length > longest) return everyPart
  if (sql.length > longestRemembered) return readParts(sql)
  let parts = known.get(sql)
  if (parts === undefined) {
    parts = readParts(sql)
    if (known.size >= remembered) known.clear()
    known.set(sql, parts)
  }
  return parts
}

function readParts(sql: string): SessionParts {
  const tokens = sqlTokens(sql)
  if (tokens === undefined) return everyPart
  let parts = noPart
  let start = 0
  for (let end = 0; end <= tokens.length; end++) {
    if (end < tokens.length && tokens[end] !== ';') continue
    parts |= partsOfStatement(tokens.slice(start, end))
    start = end + 1
  }
  return parts
}

const words = (list: string) => list.split(/\s+/)

/** What a statement touches by its first word, apart from the functions it calls. Any other word: everything. */
const byFirstWord = new Map<string, SessionParts>([
  ...words(
    `select values table with update delete fetch move close begin start commit end rollback abort
     savepoint release show reset unlisten notify deallocate lock`,
  ).map((word): [string, SessionParts] => [word, noPart]),
  ['insert', SessionPart.sequences],
  ['merge', SessionPart.sequences],
  ['copy', SessionPart.sequences],
  ['listen', SessionPart.channels],
  ['declare', SessionPart.cursors],
  ['prepare', SessionPart.statements],
])

function partsOfStatement(tokens: readonly string[]): SessionParts {
  const first = tokens.findIndex((token) => token !== '(')
  if (first < 0) return noPart
  const word = tokens[first]!
  if (word === 'set') return partsOfSet(tokens.slice(first + 1))
  const parts = byFirstWord.get(word)
  if (parts === undefined) return everyPart
  let more = parts
  for (let i = first + 1; i < tokens.length && more !== everyPart; i++) more |= partsAt(tokens, i, first)
  return more
}

/**
 * A search_path can make any name mean something else, also until the end of a transaction only. Before a dot, words
 * such as LOCAL are the first part of a setting's name.
 */
function partsOfSet(tokens: readonly string[]): SessionParts {
  if (tokens[1] === '.') return SessionPart.settings | SessionPart.role
  const isLocal = tokens[0] === 'local'
  const name = isLocal || tokens[0] === 'session' ? tokens[1] : tokens[0]
  if (name === 'search_path' || name === 'schema' || name === quotedName) return everyPart
  if (isLocal || name === 'transaction' || name === 'constraints') return noPart
  return SessionPart.settings | SessionPart.role
}

function partsAt(tokens: readonly string[], i: number, first: number): SessionParts {
  const token = tokens[i]!
  if (tokens[i + 1] === '(' && isName(token) && !isNoCall(tokens, i, first)) return partsOfCall(tokens, i)
  switch (token) {
    case 'insert':
    case 'merge':
    case 'default':
      return SessionPart.sequences
    case 'into':
      return isVerb(tokens, i - 1, first) ? noPart : everyPart
    case '.':
      return isValue(tokens[i - 1]!) && isName(tokens[i + 1] ?? '') ? everyPart : noPart
    case 'uescape':
      // It may change what the name before it stands for.
      return everyPart
    case 'returning':
      // RETURNING WITH (OLD AS …): as for DISTINCT ON.
      return tokens[i + 1] === 'with' ? everyPart : noPart
    case 'distinct':
      // A call may follow the list in parentheses, where otherwise only a clause can.
      return tokens[i + 1] === 'on' ? everyPart : noPart
    default:
      return noPart
  }
}

/** Whether it is the INSERT or MERGE of a statement. Elsewhere they name columns: SELECT 1 INSERT INTO t makes a table. */
function isVerb(tokens: readonly string[], i: number, first: number): boolean {
  if (tokens[i] !== 'insert' && tokens[i] !== 'merge') return false
  const before = tokens[i - 1]
  if (i === first || before === '(') return true
  if (before === 'as') return tokens[first] === 'prepare'
  return before === ')' && tokens[opening(tokens, i - 1) - 1] === 'as'
}

/** Whether a value ends there, behind which a dot and a name may call a function: (1).f is f(1). */
function isValue(token: string): boolean {
  return token === ')' || token === ']' || token === parameter
}

function isName(token: string): boolean {
  return token === quotedName || /^[a-z_\u0080-\uffff]/.test(token)
}

/** Words that cannot name a function: reserved ones, and those that only name columns ("SQL Key Words", appendix C). */
const notFunctions = new Set(
  words(
    `all analyse analyze and any array as asc between bigint bit boolean both case cast char character check coalesce
     collate column constraint dec decimal default deferrable desc distinct do else end except exists extract false
     fetch float for from grant greatest group grouping having in initially inout int integer intersect interval into
     lateral leading least limit national nchar none normalize not null nullif numeric offset on only or order out
     overlay placing position precision primary real references returning row select setof smallint some substring
     symmetric table then time timestamp to trailing trim true union unique using values varchar variadic when
     where window with`,
  ),
)

/** Whether what stands at `i`, with a parenthesis behind it, is no call of a function. */
function isNoCall(tokens: readonly string[], i: number, first: number): boolean {
  const token = tokens[i]!
  const before = tokens[i - 1]
  if (before !== '.' && notFunctions.has(token)) return true
  if (token === 'over' || token === 'filter') return before === ')'
  if (token === 'by') return before === 'group' || before === 'order'
  if (token === 'conflict') return before === 'on' && tokens[closing(tokens, i + 1) + 1] === 'do'
  return isTarget(tokens, i, first)
}

/** Whether it is the table of INSERT, MERGE or COPY, whose columns follow. */
function isTarget(tokens: readonly string[], i: number, first: number): boolean {
  let start = i
  while (tokens[start - 1] === '.') start -= 2
  const before = tokens[start - 1]
  return before === 'into' || (before === 'copy' && start - 1 === first)
}

function closing(tokens: readonly string[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i] === '(') depth++
    else if (tokens[i] === ')' && --depth === 0) return i
  }
  return tokens.length
}

function opening(tokens: readonly string[], close: number): number {
  let depth = 0
  for (let i = close; i >= 0; i--) {
    if (tokens[i] === ')') depth++
    else if (tokens[i] === '(' && --depth === 0) return i
  }
  return -1
}

/** PostgreSQL's own functions, by what they touch. Any other: everything. */
const functions = new Map<string, SessionParts>([
  ...words('nextval setval').map((name): [string, SessionParts] => [name, SessionPart.sequences]),
  ...words(`pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared`).map(
    (name): [string, SessionParts] => [name, SessionPart.locks],
  ),
  ...words(
    `abs age any_value array_agg array_append array_cat array_length array_lower array_ndims array_position
     array_positions array_prepend array_remove array_replace array_to_json array_to_string array_upper ascii avg
     bit_and bit_or bool_and bool_or btrim cardinality cbrt ceil ceiling char_length chr clock_timestamp concat
     concat_ws corr count cume_dist current_catalog current_database current_schema current_schemas current_setting
     currval date date_bin date_part date_trunc decode degrees dense_rank div encode every exp factorial first_value
     floor format gcd gen_random_uuid generate_series generate_subscripts has_column_privilege
     has_database_privilege has_schema_privilege has_table_privilege host ilike initcap isfinite json_agg
     json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
     json_each_text json_object json_object_agg json_object_keys json_strip_nulls json_typeof jsonb_agg
     jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
     jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg
     jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_pretty jsonb_set
     jsonb_strip_nulls jsonb_typeof justify_days justify_hours justify_interval lag last_value lastval lcm lead left
     length like ln localtime localtimestamp log lower lower_inc lpad ltrim make_date make_interval make_time
     make_timestamp make_timestamptz max md5 min mod mode now nth_value ntile num_nonnulls num_nulls octet_length
     percent_rank percentile_cont percentile_disc pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
     pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_backend_pid pg_column_size pg_database_size
     pg_is_in_recovery pg_listening_channels pg_notify pg_postmaster_start_time pg_relation_size pg_size_pretty
     pg_sleep pg_table_size pg_total_relation_size pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_typeof
     phraseto_tsquery pi plainto_tsquery power quote_ident quote_literal quote_nullable radians random range_agg
     range_merge rank regexp_count regexp_match regexp_matches regexp_replace regexp_split_to_array
     regexp_split_to_table repeat replace reverse right round row_number row_to_json rpad rtrim scale sha224 sha256
     sha384 sha512 sign split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp string_agg
     string_to_array string_to_table strpos substr sum timeofday to_char to_date to_hex to_json to_jsonb to_number
     to_regclass to_timestamp to_tsquery to_tsvector transaction_timestamp translate trunc ts_headline ts_rank
     ts_rank_cd txid_current unnest upper upper_inc uuidv4 uuidv7 var_pop var_samp variance version
     websearch_to_tsquery width_bucket`,
  ).map((name): [string, SessionParts] => [name, noPart]),
])

function partsOfCall(tokens: readonly string[], i: number): SessionParts {
  const isQualified = tokens[i - 1] === '.'
  if (isQualified && (tokens[i - 2] !== 'pg_catalog' || tokens[i - 3] === '.')) return everyPart
  return functions.get(tokens[i]!) ?? everyPart
}
