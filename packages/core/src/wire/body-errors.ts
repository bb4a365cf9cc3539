import { LbError } from '../errors/index.js'

export function bodyTooLarge(limitBytes: number): LbError {
  return new LbError(`the request body is over the limit of ${mebibytes(limitBytes)}`, {
    code: 'LB_BODY_TOO_LARGE',
    source: 'client',
    httpStatus: 413,
    hint: 'send less, or raise gateway.maxBody',
  })
}

export function bodyConsumed(): LbError {
  return new LbError('a framework in front of lb has parsed the request body and kept no raw bytes', {
    code: 'LB_BODY_CONSUMED',
    source: 'operator',
    httpStatus: 500,
    hint: 'mount lb before the body parser, or keep the bytes in req.rawBody',
  })
}

export function clientGone(): LbError {
  return new LbError('the client left before its request was complete', { code: 'LB_CLIENT_GONE', source: 'client', httpStatus: 499 })
}

function mebibytes(bytes: number): string {
  return bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes} bytes`
}
