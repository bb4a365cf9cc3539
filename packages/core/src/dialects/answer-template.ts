/** A plain answer as its engine writes it, cut at the places that an answer fills. */
export interface AnswerTemplate {
  readonly parts: readonly TemplatePart[]
  /** Names of the fields that a stream must bring; without `text`. */
  readonly fields: readonly string[]
}

export interface TemplatePart {
  readonly literal: Buffer
  /** Undefined: the literal stands for itself. */
  readonly field: string | undefined
}

const known = new Map<string, AnswerTemplate>()
const MOST_KNOWN = 64
const NOTHING = Buffer.alloc(0)

/** Reads `{"id":<id>,...}`; a dialect's template is read once. */
export function templateOf(text: string): AnswerTemplate {
  let template = known.get(text)
  if (template !== undefined) return template
  if (known.size >= MOST_KNOWN) known.clear()
  template = parse(text)
  known.set(text, template)
  return template
}

function parse(text: string): AnswerTemplate {
  const pieces = text.split(/<([a-z_]+)>/)
  const parts = pieces.map((piece, index): TemplatePart => {
    const isField = index % 2 === 1
    return { literal: isField ? NOTHING : Buffer.from(piece), field: isField ? piece : undefined }
  })
  const fields = new Set(parts.flatMap(({ field }) => (field === undefined || field === 'text' ? [] : field)))
  return { parts, fields: [...fields] }
}
