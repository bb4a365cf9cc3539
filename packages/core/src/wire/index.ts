/**
 * Owns bytes on sockets: the exchange with a client, the engine of upstream connections, header rules, response framing. Refuses to know models, pools or nodes.
 * Read first: exchange.ts, then upstream-engine.ts and response-parser.ts.
 */
export { giveBodyMemory } from './body-memory.js'
export { defaultDoorLimits, type DoorLimits } from './door-context.js'
export { Door, type Certificate, type DoorPolicy, type ListenTarget } from './door.js'
export type { AnswerHead, Exchange, ExchangeHead } from './exchange.js'
export { fetchExchange } from './fetch-exchange.js'
export { allowedRequestLines, isHeaderValue } from './header-rules.js'
export { nodeExchange } from './node-exchange.js'
export type { HeadRefusal } from './request-head.js'
export { nothingListens } from './nothing-listens.js'
export type { ResponseHead } from './response-head.js'
export type { FrameVerdict } from './response-parser.js'
export { SocketCount, type SocketRoom } from './socket-count.js'
export { TimerWheel, type Due, type WheelTimer } from './timer-wheel.js'
export { UpstreamEngine, type UpstreamCall, type UpstreamEvents, type UpstreamRequest, type UpstreamTimeouts } from './upstream-engine.js'
export { UpstreamError, type UpstreamErrorKind } from './upstream-error.js'
