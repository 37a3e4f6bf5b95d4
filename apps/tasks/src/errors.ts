import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import {
  ConnectError,
  ConnectionLostError,
  PoolClosedError,
  PoolOverloadedError,
  PoolTimeoutError,
  PostgresError,
  QueryTimeoutError,
} from 'rockpool'
import type { Problem } from './schemas.ts'
import { InvalidInput } from './validation.ts'

/** There is no such thing: 404. */
export class NotFound extends Error {
  override readonly name = 'NotFound'
}

interface Answer {
  status: number
  problem: Problem
}

/** Seconds after which a client that found no connection may well try again. */
const retryAfter = 1

/** Answers every error in one shape. What the caller cannot mend stays in the log. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, problem } = isRepeatable(error, request) ? noConnection() : answerTo(error)
  if (request.socket.destroyed) request.log.info('the client hung up')
  else if (status >= 500) request.log.error({ err: error }, problem.error)
  if (status === 503) reply.header('retry-after', retryAfter)
  return reply.code(status).send(problem)
}

function answerTo(error: unknown): Answer {
  if (error instanceof NotFound) return plain(404, error.message)
  if (error instanceof InvalidInput) {
    return { status: 422, problem: { error: error.message, details: error.details } }
  }
  if (error instanceof QueryTimeoutError || isHandlerTimeout(error)) {
    return plain(504, 'the answer took too long')
  }
  if (isNoConnection(error)) return noConnection()
  return answerToFramework(error) ?? plain(500, 'internal error')
}

/** The connection went in the middle of a request that changes nothing. */
function isRepeatable(error: unknown, { method }: FastifyRequest): boolean {
  return error instanceof ConnectionLostError && (method === 'GET' || method === 'HEAD')
}

/** Nothing ran, or what ran was rolled back: the request may simply be made again. */
function isNoConnection(error: unknown): boolean {
  if (error instanceof PoolTimeoutError || error instanceof PoolOverloadedError) return true
  if (error instanceof PoolClosedError || error instanceof ConnectError) return true
  if (error instanceof ConnectionLostError) return error.outcome === 'not-sent'
  return error instanceof PostgresError && isServerGoing(error.sqlState)
}

function isHandlerTimeout(error: unknown): boolean {
  return (error as Partial<FastifyError>).code === 'FST_ERR_HANDLER_TIMEOUT'
}

/** Too many connections, or the server is stopping or starting. */
function isServerGoing(sqlState: string): boolean {
  return sqlState === '53300' || /^57P0[1-3]$/.test(sqlState)
}

/** What Fastify itself refuses before a schema is asked. */
function answerToFramework(error: unknown): Answer | undefined {
  const { code, statusCode, message } = error as Partial<FastifyError>
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return invalid('content-type', 'must be application/json')
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return invalid('body', 'is empty')
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return invalid('body', 'is not JSON')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return invalid('url', 'is not a path of this service')
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return plain(statusCode, message ?? 'refused')
  return undefined
}

function noConnection(): Answer {
  return plain(503, 'no database connection in time, please try again')
}

function invalid(field: string, reason: string): Answer {
  return answerTo(new InvalidInput([{ field, reason }]))
}

function plain(status: number, error: string): Answer {
  return { status, problem: { error, details: [] } }
}
