import { SessionPart, type SessionParts } from './session-parts.ts'

/**
 * What a session can carry over to its next owner, taken back. Authorization comes first: what follows runs
 * with the rights of the session itself. Functions and catalogs are named with their schema, so that no
 * search_path can divert them.
 */
export const restore: readonly [part: SessionParts, sql: string][] = [
  [SessionPart.role, 'RESET SESSION AUTHORIZATION'],
  [SessionPart.role, 'RESET ROLE'],
  [SessionPart.settings, 'RESET ALL'],
  [SessionPart.cursors, 'CLOSE ALL'],
  [SessionPart.channels, 'UNLISTEN *'],
  [SessionPart.temporaryObjects, 'DISCARD TEMP'],
  [SessionPart.sequences, 'DISCARD SEQUENCES'],
  [SessionPart.locks, 'SELECT pg_catalog.pg_advisory_unlock_all()'],
]
