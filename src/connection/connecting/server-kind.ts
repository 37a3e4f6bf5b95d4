import { askSession } from '../../wire/question.ts'
import type { EstablishedSession } from '../../wire/startup.ts'

/** Which of several servers will do, by libpq's names: target_session_attrs in "Parameter Key Words". */
export const targetSessionAttrs = [
  'any',
  'primary',
  'standby',
  'prefer-standby',
  'read-write',
  'read-only',
] as const
export type TargetSessionAttrs = (typeof targetSessionAttrs)[number]

type Parameters = ReadonlyMap<string, string>

/** One thing that a server is or is not: as PostgreSQL 14 and later report it at the start-up, and how to ask for it. */
interface Trait {
  yes: string
  no: string
  reported(parameters: Parameters): boolean | undefined
  question: string
  isYes(answer: string): boolean
}

const standby: Trait = {
  yes: 'a standby',
  no: 'a primary',
  reported: (parameters) => switched(parameters, 'in_hot_standby'),
  question: 'select pg_catalog.pg_is_in_recovery()',
  isYes: (answer) => answer === 't',
}

const readOnly: Trait = {
  yes: 'read-only',
  no: 'read-write',
  reported: (parameters) => {
    const either = [
      switched(parameters, 'in_hot_standby'),
      switched(parameters, 'default_transaction_read_only'),
    ]
    return either.includes(true) || (either.includes(undefined) ? undefined : false)
  },
  question: 'show transaction_read_only',
  isYes: (answer) => answer === 'on',
}

const wishes: Record<Exclude<TargetSessionAttrs, 'any'>, { trait: Trait; wanted: boolean }> = {
  primary: { trait: standby, wanted: false },
  standby: { trait: standby, wanted: true },
  'prefer-standby': { trait: standby, wanted: true },
  'read-write': { trait: readOnly, wanted: false },
  'read-only': { trait: readOnly, wanted: true },
}

/**
 * Whether the session's server is one of those that are asked for; what it has not reported (an older one, a proxy)
 * is asked of it. `session` takes the place of the one that was given.
 *
 * @returns `unfit`: what the server is instead (`'a standby'`); `undefined` where it will do
 * @throws as `askSession`; the session is closed then
 */
export async function judgeServer(
  session: EstablishedSession,
  attrs: TargetSessionAttrs,
  signal: AbortSignal,
): Promise<{ session: EstablishedSession; unfit: string | undefined }> {
  if (attrs === 'any') return { session, unfit: undefined }
  const { trait, wanted } = wishes[attrs]
  const reported = trait.reported(session.parameters)
  if (reported !== undefined) return { session, unfit: unfit(trait, reported, wanted) }
  const asked = await askSession(session, trait.question, signal)
  return { session: asked.session, unfit: unfit(trait, trait.isYes(asked.answer), wanted) }
}

function unfit(trait: Trait, is: boolean, wanted: boolean): string | undefined {
  if (is === wanted) return undefined
  return is ? trait.yes : trait.no
}

function switched(parameters: Parameters, name: string): boolean | undefined {
  const value = parameters.get(name)
  return value === undefined ? undefined : value === 'on'
}
