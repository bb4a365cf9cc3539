import type { PromptRun } from '../workload.js'
import { countBlocks, joinBlocks } from './join-blocks.js'
import { linesOf, type Line } from './lines.js'
import type { Trace, TraceRow } from './trace.js'
import { badTrace } from './trace-error.js'

/** Of a prompt; the last may be shorter. */
const BLOCK_TOKENS = 512
/** A prompt of more than this is a mistake of units. */
const MOST_TOKENS = 100_000_000
/** A conversation begins with the first block that fewer than one in so many requests have. */
const SHARED_BY_MANY = 100
const COLUMNS = ['timestamp_ms', 'input_tokens', 'output_tokens'] as const
const HINT = 'the columns are timestamp_ms, input_tokens, output_tokens and, where prompts share, hash_ids; see docs/guides/simulate.md'

interface RawRow {
  readonly atMs: number
  readonly blocks: readonly PromptRun[]
  readonly outputTokens: number
  readonly tenant: string | undefined
  readonly session: string | undefined
}

/**
 * Reads the CSV form of public request traces. `hash_ids`: one id for each 512 tokens of the prompt, from its beginning, the last perhaps partly filled;
 * equal ids are equal text behind equal text; `a-b` is a run of ids. Throws LB_BAD_TRACE with line and column.
 */
export function parseCsvTrace(bytes: Buffer, file: string): Trace {
  const lines = linesOf(bytes)
  const head = lines.next()
  if (head.done === true) throw badTrace({ file }, 'the file is empty', HINT)
  const columns = new Columns(file, head.value)
  const raw: RawRow[] = []
  for (const line of lines) raw.push(columns.row(line, raw.length))
  if (raw.length === 0) throw badTrace({ file }, 'there is a header and no request', HINT)
  return { name: file, rows: rowsOf(raw), requests: raw.length }
}

class Columns {
  private readonly at: ReadonlyMap<string, number>

  constructor(
    private readonly file: string,
    head: Line,
  ) {
    const names = cellsOf(head.text).map(({ text }) => text)
    this.at = new Map(names.map((name, at) => [name, at]))
    const missing = COLUMNS.filter((name) => !this.at.has(name))
    if (missing.length > 0)
      throw badTrace(
        { file, line: head.number, column: 1 },
        `the header has no ${missing.join(', ')}; it has ${shown(names.join(', '))}`,
        HINT,
      )
  }

  row(line: Line, index: number): RawRow {
    const cells = cellsOf(line.text)
    const inputTokens = this.number(line, cells, 'input_tokens', 1)
    return {
      atMs: this.number(line, cells, 'timestamp_ms', 0),
      // An answer has one token at least; some traces say 0.
      outputTokens: Math.max(1, this.number(line, cells, 'output_tokens', 0)),
      blocks: this.blocks(line, cells, inputTokens) ?? [{ id: index + 1, tokens: inputTokens }],
      tenant: this.text(cells, 'tenant'),
      session: this.text(cells, 'session'),
    }
  }

  private number(line: Line, cells: readonly Cell[], name: (typeof COLUMNS)[number], least: number): number {
    const cell = cells[this.at.get(name) ?? -1]
    const place = { file: this.file, line: line.number, column: cell?.column ?? line.text.length + 1 }
    if (cell === undefined) throw badTrace(place, `the row ends before ${name}`, HINT)
    const value = cell.text === '' ? Number.NaN : Number(cell.text)
    const isTime = name === 'timestamp_ms'
    if (!(value >= least) || (isTime ? value === Infinity : value > MOST_TOKENS || !Number.isInteger(value)))
      throw badTrace(place, `${name} is "${shown(cell.text)}", not a ${isTime ? '' : 'whole '}number of ${least} or more`, HINT)
    return value
  }

  private text(cells: readonly Cell[], name: string): string | undefined {
    return cells[this.at.get(name) ?? -1]?.text || undefined
  }

  /** Undefined where the row names none. */
  private blocks(line: Line, cells: readonly Cell[], inputTokens: number): PromptRun[] | undefined {
    const cell = cells[this.at.get('hash_ids') ?? -1]
    if (cell === undefined || cell.text === '') return undefined
    const place = { file: this.file, line: line.number, column: cell.column }
    const count = Math.ceil(inputTokens / BLOCK_TOKENS)
    const ids = idsOf(cell.text, count)
    if (typeof ids === 'string') throw badTrace(place, `hash_ids has "${shown(ids)}", which is no id and no run a-b`, HINT)
    if (ids.length !== count) {
      const has = ids.length > count ? 'more' : `${ids.length}`
      throw badTrace(place, `hash_ids has ${has} ids; ${inputTokens} tokens are ${count} blocks of ${BLOCK_TOKENS}`, HINT)
    }
    // Ids of a trace begin at 0, those of runs at 1.
    return ids.map((id, at) => ({ id: id + 1, tokens: Math.min(BLOCK_TOKENS, inputTokens - at * BLOCK_TOKENS) }))
  }
}

/** All ids, at most one more than wanted; else the part that is none. */
function idsOf(text: string, wanted: number): number[] | string {
  const ids: number[] = []
  for (const part of text.split(/\s+/)) {
    if (part === '') continue
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part) ?? []
    if (first === undefined || Number(last) < Number(first)) return part
    for (let id = Number(first); id <= Number(last) && ids.length <= wanted; id++) ids.push(id)
  }
  return ids
}

function rowsOf(raw: RawRow[]): TraceRow[] {
  const ordered = raw.toSorted((one, other) => one.atMs - other.atMs)
  const startMs = ordered[0]?.atMs ?? 0
  const counts = countBlocks(ordered.map(({ blocks }) => blocks))
  return ordered.map(({ atMs, blocks, outputTokens, tenant, session = sessionOf(blocks, counts, ordered.length) }) => ({
    atMs: atMs - startMs,
    prompt: joinBlocks(blocks, counts),
    outputTokens,
    ...(tenant === undefined ? {} : { tenant }),
    ...(session === undefined ? {} : { session }),
  }))
}

/** Requests that go on from one another have their first own block in common; without that nothing tells conversations. */
function sessionOf(blocks: readonly PromptRun[], counts: ReadonlyMap<number, number>, requests: number): string | undefined {
  const own = blocks.find(({ id }) => (counts.get(id) ?? 0) <= Math.max(1, requests / SHARED_BY_MANY))
  return own === undefined || counts.get(own.id) === 1 ? undefined : `s${own.id}`
}

interface Cell {
  readonly text: string
  /** Of its first character, from 1 on. */
  readonly column: number
}

/** Cells between commas; quotes around one are taken off. */
function cellsOf(line: string): Cell[] {
  const cells: Cell[] = []
  for (let from = 0; from <= line.length;) {
    const quoted = line[from] === '"' ? line.indexOf('"', from + 1) : -1
    const comma = line.indexOf(',', Math.max(from, quoted))
    const to = comma < 0 ? line.length : comma
    const text = line.slice(from, to).trim()
    cells.push({ text: quoted < 0 ? text : text.slice(1, -1), column: from + 1 })
    from = to + 1
  }
  return cells
}

function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text
}
