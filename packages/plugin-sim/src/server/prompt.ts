import { placeBehind, type StoryPlace } from '../text/continuation.js'
import { tokenise } from '../text/tokenise.js'
import { invalid, isObject, type JsonObject } from './json-fields.js'

/** One prompt as the engine takes it: token ids for the cache, and what the text of the answer depends on. */
export interface Prompt {
  readonly tokens: number[]
  readonly context: string
  /** Text that the answer goes on from. */
  readonly begun: string
  /** Where the answer goes on, where ids say so; else context and text do. */
  readonly place?: StoryPlace
}

interface Turn {
  readonly role: string
  readonly text: string
}

const endOfTurn = 1

/** A conversation in an invented chat template. A trailing assistant message stays open, so that the answer goes on from its last character. */
export function chatPrompt(body: JsonObject): Prompt {
  const { messages } = body
  if (!Array.isArray(messages) || messages.length === 0) throw invalid('messages', 'a list of at least one message')
  const turns = messages.map((message, index) => turnOf(message, `messages[${index}]`))
  const last = turns.at(-1)
  const open = last?.role === 'assistant' ? last : { role: 'assistant', text: '' }
  const closed = open === last ? turns.slice(0, -1) : turns
  const tokens: number[] = []
  for (const turn of closed) append(tokens, turnTokens(turn), [endOfTurn])
  append(tokens, turnTokens(open))
  return { tokens, context: JSON.stringify(closed), begun: open.text }
}

/** The prompts of a completion: a string, token ids, or a list of either. */
export function completionPrompts(body: JsonObject, key = 'prompt'): readonly Prompt[] {
  const value = body[key]
  if (isTokenIds(value)) return [idPrompt(value)]
  const list = Array.isArray(value) ? value : [value]
  if (list.length > 256) throw invalid(key, 'at most 256 prompts')
  return list.map((one: unknown) => {
    if (isTokenIds(one)) return idPrompt(one)
    if (typeof one !== 'string' || one === '') throw invalid(key, 'a string, a list of token ids, or a list of these; none of them empty')
    return { tokens: tokenise(one).ids, context: 'prompt', begun: one }
  })
}

/**
 * Begins the four ids that `return_token_ids` puts behind those of a prompt: ids are hashes here and cannot be read back, so these say which story the
 * answer tells. A real model finds that in the prompt itself. They take no place in the cache.
 */
const placeMark = 0xffff_fff0
const markLength = 4

/** The ids of a prompt as a client is told them: sent back with the ids of an answer's first tokens, they are gone on with to the token. */
export function promptIds({ tokens }: Prompt, { key, delivered, lead }: StoryPlace): readonly number[] {
  return [...tokens, placeMark, key, delivered, lead === '' ? 0 : 1]
}

function idPrompt(ids: readonly number[]): Prompt {
  const mark = ids.lastIndexOf(placeMark)
  const [key, delivered, hasLead] = mark === -1 ? [] : ids.slice(mark + 1, mark + markLength)
  if (key === undefined || delivered === undefined || hasLead === undefined)
    return { tokens: [...ids], context: `ids ${ids.join(' ')}`, begun: '' }
  const answer = ids.slice(mark + markLength)
  const tokens = [...ids.slice(0, mark), ...answer]
  const place = placeBehind({ key, delivered, lead: hasLead === 1 ? ' ' : '' }, answer)
  return { tokens, context: `ids ${tokens.join(' ')}`, begun: '', ...(place === undefined ? {} : { place }) }
}

function isTokenIds(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 32)
}

function turnOf(message: unknown, param: string): Turn {
  if (!isObject(message) || typeof message['role'] !== 'string') throw invalid(param, 'an object with a role')
  const { role, content, ...rest } = message
  const extras = Object.keys(rest).length === 0 ? '' : JSON.stringify(rest)
  return { role, text: contentText(content, `${param}.content`) + extras }
}

/** Parts that are not text stand in the conversation as their JSON. */
function contentText(content: unknown, param: string): string {
  if (typeof content === 'string') return content
  if (content === undefined || content === null) return ''
  if (!Array.isArray(content)) throw invalid(param, 'a string or a list of parts')
  return content.map((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : JSON.stringify(part))).join('')
}

function turnTokens(turn: Turn): readonly number[] {
  return [...tokenise(`<${turn.role}>`).ids, ...tokenise(turn.text).ids]
}

/** Not push(...list): a long prompt would overflow the stack. */
function append(target: number[], ...lists: readonly (readonly number[])[]): void {
  for (const list of lists) for (const token of list) target.push(token)
}
