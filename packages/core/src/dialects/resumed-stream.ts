import type { ExactContinuation, Usage } from '../contracts/index.js'
import type { BegunStream } from './begun-stream.js'
import { readStreamEvent, type StreamEvent } from './stream-event.js'
import { usageOf } from './usage.js'

const MAX_TAIL_BYTES = 4_096

export interface ResumedStreamOptions {
  readonly begun: BegunStream
  /** Text that the answer must begin with and that the client has. */
  readonly echo: string
  /** The client reads a chat; a completion of ids comes as text. */
  readonly isChat: boolean
  /** How the ids of tokens come, where they were asked for. */
  readonly exact: ExactContinuation | undefined
  /** Whether an event that ends the stream says that its node cannot go on. */
  readonly saysDeath: (event: StreamEvent) => boolean
  /** The client asked for the usage event. */
  readonly showsUsage: boolean
}

interface Choice {
  readonly [field: string]: unknown
  readonly index?: unknown
  readonly delta?: Readonly<Record<string, unknown>> | null
  readonly text?: unknown
  readonly finish_reason?: unknown
}

/**
 * The rest of an answer that another node began, event by event, as the client must see it: the identity of the first node's events, no second role, no text
 * twice, usage over all. Each event is parsed; few streams come here.
 */
export class ResumedStream {
  hasContent = false
  contentEvents = 0
  /** What this node's engine counted: its prompt is the first one's and what was delivered before. */
  engineUsage: Usage | undefined
  /** Why the rest is of no use; for people. */
  unfit: string | undefined
  /** That was for a fault of the node. */
  died = false
  /** The last events without text, for the dialect's judgement of the stream's end. */
  tail = ''
  private readonly deliveredBefore: number
  private echo: string

  constructor(private readonly options: ResumedStreamOptions) {
    this.deliveredBefore = options.begun.tokens
    this.echo = options.echo
  }

  /** One whole event; what the client is to be sent for it, which is often nothing. */
  event(bytes: Buffer): string {
    if (this.unfit !== undefined) return ''
    const event = readStreamEvent(bytes)
    const { kind, fields, isGarbage } = event
    if (kind !== 'comment' && kind !== 'content')
      this.tail = `${this.tail}${bytes.toString('utf8', 0, MAX_TAIL_BYTES / 2)}`.slice(-MAX_TAIL_BYTES)
    if (isGarbage === true) return this.refuse('it sent an event that is no JSON')
    if (fields === undefined) return ''
    this.died = (kind === 'error' || event.finish !== undefined) && this.options.saysDeath(event)
    if (kind === 'error') return this.refuse(`its engine said ${JSON.stringify(fields['error']).slice(0, 300)}`)
    if (this.died) return this.refuse(`its engine gave up: ${event.finish}`)
    const { model } = this.options.begun.identity
    if (lastPart(fields['model']) !== lastPart(model))
      return this.refuse(`it calls its model ${JSON.stringify(fields['model'])}, the one before ${JSON.stringify(model)}`)
    return this.read(fields)
  }

  private refuse(why: string): string {
    this.unfit = why
    return ''
  }

  private read(fields: Readonly<Record<string, unknown>>): string {
    const choices = Array.isArray(fields['choices']) ? (fields['choices'] as Choice[]) : []
    const usage = usageOf(fields['usage'])
    if (usage !== undefined) this.count(usage)
    const [choice] = choices
    const { begun, exact, isChat } = this.options
    if (choice === undefined) return usage === undefined || !this.options.showsUsage ? '' : this.shown(fields, [])
    if (choices.length > 1 || hasOther(choice)) return this.refuse('it sent something else than plain text')
    if (exact !== undefined) begun.ids?.note(exact.tokensOf(choice[exact.field]))
    const text = this.newText(textOf(choice))
    if (text === undefined) return this.refuse('its answer does not go on from what the client has')
    const finish = typeof choice.finish_reason === 'string' ? choice.finish_reason : undefined
    if (text === '' && finish === undefined) return ''
    this.deliver(text, finish)
    return this.shown(fields, [withText(plainOf(choice, exact), text, isChat)])
  }

  /** Without the echo. Undefined: it is another text. */
  private newText(text: string): string | undefined {
    const { echo } = this
    if (echo === '' || text === '') return text
    if (!echo.startsWith(text) && !text.startsWith(echo)) return undefined
    this.echo = echo.slice(text.length)
    return text.slice(echo.length)
  }

  private deliver(text: string, finish: string | undefined): void {
    const { begun } = this.options
    begun.finish = finish ?? begun.finish
    begun.ids?.settle(text !== '')
    if (text === '') return
    this.hasContent = true
    this.contentEvents += 1
    begun.tokens = Math.max(begun.tokens + 1, begun.ids?.count ?? 0)
    begun.ledger.appendText(text)
  }

  /** The first prompt and all of the answer: together both nodes' engines have counted the delivered text once as answer and once as prompt. */
  private count(usage: Usage): void {
    const promptTokens = Math.max(0, usage.promptTokens - this.deliveredBefore)
    this.engineUsage = usage
    this.options.begun.usage = {
      promptTokens,
      completionTokens: usage.completionTokens + this.deliveredBefore,
      ...(usage.cachedTokens === undefined ? {} : { cachedTokens: Math.min(usage.cachedTokens, promptTokens) }),
    }
  }

  private shown(fields: Readonly<Record<string, unknown>>, choices: readonly object[]): string {
    const { begun, exact } = this.options
    const { identity, usage } = begun
    const event: Record<string, unknown> = { ...fields, choices }
    if (exact?.promptField !== undefined) delete event[exact.promptField]
    for (const name in identity) if (name in event) event[name] = identity[name]
    if (usage !== undefined && typeof fields['usage'] === 'object' && fields['usage'] !== null)
      event['usage'] = corrected(fields['usage'], usage)
    return `data: ${JSON.stringify(event)}\n\n`
  }
}

/** Some engines name the file that they have loaded, wherever it lies. */
function lastPart(model: unknown): unknown {
  return typeof model === 'string' ? model.slice(model.lastIndexOf('/') + 1) : model
}

function textOf({ delta, text }: Choice): string {
  const value = text ?? delta?.['content']
  return typeof value === 'string' ? value : ''
}

function hasOther({ delta }: Choice): boolean {
  return Object.entries(delta ?? {}).some(
    ([name, value]) =>
      name !== 'role' && name !== 'content' && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
}

/** Without what tells ids. */
function plainOf(choice: Choice, exact: ExactContinuation | undefined): Choice {
  if (exact === undefined) return choice
  const { [exact.field]: _, [exact.promptField ?? exact.field]: __, ...plain } = choice
  return plain
}

function withText(choice: Choice, text: string, isChat: boolean): object {
  const delta = text === '' ? {} : { content: text }
  if (typeof choice.text !== 'string') {
    const { role: _, ...rest } = choice.delta ?? {}
    return { ...choice, delta: text === '' ? {} : { ...rest, ...delta } }
  }
  return isChat ? { index: choice.index, delta, logprobs: null, finish_reason: choice.finish_reason ?? null } : { ...choice, text }
}

function corrected(told: object, { promptTokens, completionTokens, cachedTokens }: Usage): object {
  const { prompt_tokens_details: details } = told as { prompt_tokens_details?: unknown }
  return {
    ...told,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cachedTokens === undefined ? {} : { prompt_tokens_details: { ...(details as object), cached_tokens: cachedTokens } }),
  }
}
