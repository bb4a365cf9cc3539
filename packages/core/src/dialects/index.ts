/**
 * Owns what requests and answers mean: facts of a body, edits of it, events of a stream, usage, error bodies. Refuses to know sockets and nodes.
 * Read first: request-scan.ts, then stream-event.ts.
 */
export { AnswerCollector } from './answer-collector.js'
export { BegunStream, endOfAnswer } from './begun-stream.js'
export { bodyFields } from './body-fields.js'
export { errorBody, errorEvent } from './error-body.js'
export { isContinuable, stopsOf, whyNot } from './continuable.js'
export { DeliveredLedger } from './delivered-ledger.js'
export { EventSplitter, isOneEvent } from './event-splitter.js'
export { parseMetrics, type MetricSample } from './metrics-text.js'
export { openaiBase, type OpenAiBase } from './openai-base.js'
export { openaiDialect } from './openai-dialect.js'
export { bytesOfBlocks, prefixHashes } from './prefix-hashes.js'
export { probeOpenAi, type ProbeOpenAiOptions } from './probe-openai.js'
export { recordJson, type RecordJson } from './record-json.js'
export { field, RequestScanner, scanRequest, type RequestScan } from './request-scan.js'
export { askingForIds, idsBody, promptOf, textBody } from './resumed-body.js'
export { ResumedStream } from './resumed-stream.js'
export { handedOverIn, prefillBody, spliceBody, streamedBody, type HandedOver } from './splice-body.js'
export { StreamInspector } from './stream-inspector.js'
export { TokenLedger } from './token-ledger.js'
export { usageInAnswer } from './usage.js'
