import { FEATURES } from './node-features.js'

/** Requests that are remembered; those that never came to be sent are forgotten first. */
const MOST_SENT = 20_000

/** What was predicted of one request, and from what. */
export class SentRequest {
  readonly features = new Float64Array(FEATURES)
  ttftMs = 0
  tpotMs = 0
}

/** Predictions whose outcome is still to come, by request. Their room is used again. */
export class SentRequests {
  private readonly byId = new Map<string, SentRequest>()
  private readonly free: SentRequest[] = []

  add(id: string): SentRequest {
    this.end(id)
    if (this.byId.size >= MOST_SENT) for (const oldest of this.byId.keys()) if (this.end(oldest)) break
    const sent = this.free.pop() ?? new SentRequest()
    this.byId.set(id, sent)
    return sent
  }

  of(id: string): SentRequest | undefined {
    return this.byId.get(id)
  }

  end(id: string): boolean {
    const sent = this.byId.get(id)
    if (sent !== undefined) this.free.push(sent)
    return this.byId.delete(id)
  }

  get size(): number {
    return this.byId.size
  }
}
