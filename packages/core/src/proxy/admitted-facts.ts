import type { Face, RequestFacts } from '../contracts/index.js'
import { bytesOfBlocks } from '../dialects/index.js'

/** What is told of a request besides what is computed here. */
export type ToldFacts = Omit<RequestFacts, 'prefixTokens'>

/** The facts of one admitted request; blocks of its prompt in tokens, by the share of its bytes that they are. */
export class AdmittedFacts implements RequestFacts {
  readonly id: string
  readonly face: Face
  readonly model: string
  readonly stream: boolean
  readonly bodyBytes: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly silentTokens: number
  readonly prefixHashes: Float64Array
  readonly session: string | undefined
  readonly client: string
  readonly address: string
  readonly sloTtftMs: number | undefined

  constructor(told: ToldFacts) {
    this.id = told.id
    this.face = told.face
    this.model = told.model
    this.stream = told.stream
    this.bodyBytes = told.bodyBytes
    this.promptTokens = told.promptTokens
    this.outputTokens = told.outputTokens
    this.silentTokens = told.silentTokens ?? 0
    this.prefixHashes = told.prefixHashes
    this.session = told.session
    this.client = told.client
    this.address = told.address ?? told.client
    this.sloTtftMs = told.sloTtftMs
  }

  prefixTokens(blocks: number): number {
    if (this.bodyBytes === 0) return 0
    return Math.min(this.promptTokens, (bytesOfBlocks(blocks) / this.bodyBytes) * this.promptTokens)
  }
}
