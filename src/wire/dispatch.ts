import type { PostgresReport } from '../errors.ts'
import { brokenProtocol, describeType } from './frame-reader.ts'
import { Backend, BodyReader, readReport, TagReader } from './messages.ts'
import type { DataFlow, Request } from './request.ts'

// Which method hears of which message ("Message Formats", protocol-message-formats).

const tags = new TagReader()

/** Who hears what the server says on its own. */
export interface Unasked {
  notice(report: PostgresReport): void
  parameter(name: string, value: string): void
  notification(processId: number, channel: string, payload: string): void
}

export function dispatchUnasked(
  owner: Unasked,
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const body = new BodyReader(bytes, start, end)
  if (type === Backend.NoticeResponse) owner.notice(readReport(body))
  else if (type === Backend.ParameterStatus) owner.parameter(body.cstring(), body.cstring())
  else owner.notification(body.int32(), body.cstring(), body.cstring())
}

/**
 * What the server answers to a request, but for errors and the end.
 *
 * @param flow of the request's connection, for a COPY
 * @throws ConnectionLostError where there is no such message, and whatever the request throws
 */
export function dispatchAnswer(
  request: Request,
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
  flow: DataFlow,
): void {
  switch (type) {
    case Backend.CommandComplete:
      request.commandComplete(tags.read(bytes, start, end))
      break
    case Backend.BindComplete:
      request.bindComplete()
      break
    case Backend.ParseComplete:
    case Backend.CloseComplete:
    case Backend.CopyDone:
      break
    case Backend.RowDescription:
      request.rowDescription(new BodyReader(bytes, start, end))
      break
    case Backend.NoData:
      request.noData()
      break
    case Backend.ParameterDescription:
      request.parameterDescription(new BodyReader(bytes, start, end))
      break
    case Backend.EmptyQueryResponse:
      request.emptyQuery()
      break
    case Backend.PortalSuspended:
      request.portalSuspended()
      break
    case Backend.CopyInResponse:
      request.copyIn(flow)
      break
    case Backend.CopyOutResponse:
      request.copyOut(flow)
      break
    case Backend.CopyData:
      request.copyData(bytes, start, end)
      break
    default:
      throw brokenProtocol(`message ${describeType(type)} is not known here`)
  }
}
