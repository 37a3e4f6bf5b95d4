import { type Static, Type } from 'typebox'

/** As PostgreSQL's text: characters are code points, and neither NUL nor half a surrogate pair is one. */
const Title = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '^[^\\u0000\\ud800-\\udfff]*$',
  description: '1 to 500 characters',
})

const Time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' })

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

const strict = { additionalProperties: false }

export const Task = Type.Object(
  { id: Id, title: Title, done: Type.Boolean(), created_at: Time, updated_at: Time },
  { title: 'Task', description: 'The task' },
)
export type Task = Static<typeof Task>

export const NewTask = Type.Object({ title: Title, done: Type.Optional(Type.Boolean()) }, strict)

export const TaskChange = Type.Object(
  { title: Type.Optional(Title), done: Type.Optional(Type.Boolean()) },
  { ...strict, minProperties: 1 },
)

export const TaskId = Type.Object({ id: Id }, strict)

export const defaultLimit = 50

export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        default: defaultLimit,
        description: 'How many tasks at most',
      }),
    ),
    after: Type.Optional(Type.Integer({ ...Id, description: 'The `next` of the page before' })),
  },
  strict,
)

export const Page = Type.Object(
  {
    items: Type.Array(Task),
    next: Type.Union([Id, Type.Null()], { description: 'For `after`; null on the last page' }),
  },
  { title: 'Page', description: 'Tasks in the order of their ids' },
)

/** The body of every answer that is not a success. */
export const Problem = Type.Object(
  {
    error: Type.String({ description: 'What went wrong, for a person' }),
    details: Type.Array(Type.Object({ field: Type.String(), reason: Type.String() }), {
      description: 'For 422: which fields were refused, and why',
    }),
  },
  { title: 'Problem', description: 'What went wrong' },
)
export type Problem = Static<typeof Problem>
