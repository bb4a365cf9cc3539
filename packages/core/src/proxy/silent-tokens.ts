import type { RequestFacts } from '../contracts/index.js'
import type { RequestScan } from '../dialects/index.js'

/** Some engines hold back what a tool is called with, or what must keep to a schema, until it is whole. */
const HELD_BACK = ['tools', 'functions', 'response_format'] as const
/** An answer without a limit may be so many times longer than this client's were, and so long anyway. */
const LONGER = 4
const LEAST_TOKENS = 1_024
/** Speech at its lowest rates: 2 KB and three words in a second. */
const SPEECH_BYTES_PER_TOKEN = 700

type Asked = Pick<RequestFacts, 'face' | 'bodyBytes' | 'outputTokens'>

/** The longest answer to this request that may come without a word before its end, in tokens; 0 where each token is told. */
export function silentTokens({ stream, fields, maxTokens }: RequestScan, { face, bodyBytes, outputTokens }: Asked): number {
  if (face === 'openai-embeddings') return 0
  if (face === 'openai-transcriptions') return Math.ceil(bodyBytes / SPEECH_BYTES_PER_TOKEN)
  if (stream && !HELD_BACK.some((name) => fields.has(name))) return 0
  return maxTokens ?? Math.max(LEAST_TOKENS, LONGER * outputTokens)
}
