/** Requests as clients send them, through the gateway or straight to an engine. */

export interface Asked {
  /** Aborting it is a client that leaves. */
  readonly controller: AbortController
  readonly answer: Promise<Response>
}

const messages = [{ role: 'user', content: 'Tell me about load lines, please.' }]

/** A chat request; `more` goes into its body. */
export function ask(url: string, model: string, more: Readonly<Record<string, unknown>> = {}): Asked {
  const controller = new AbortController()
  const answer = fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, max_tokens: 16, ...more }),
    signal: controller.signal,
  })
  // The one who aborts does not look at the answer.
  answer.catch(() => undefined)
  return { controller, answer }
}

/** A plain answer; throws for any status but 200. */
export async function askPlain(url: string, model: string, more: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
  const answer = await ask(url, model, more).answer
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${answer.status} ${text.slice(0, 500)}`)
  return JSON.parse(text) as Record<string, unknown>
}

/** The text of a stream to its end, however it ends. */
export async function readStream(asked: Asked): Promise<{ readonly text: string; readonly error?: unknown }> {
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const part of (await asked.answer).body ?? []) text += decoder.decode(part as Uint8Array, { stream: true })
    return { text }
  } catch (error) {
    return { text, error }
  }
}

/** Names of all fields, nested ones by their path; array items count once. */
export function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries = Array.isArray(value) ? value.slice(0, 1).map((item) => ['[]', item] as const) : Object.entries(value)
  return entries.flatMap(([name, inner]) => fieldsOf(inner, path === '' ? name : `${path}.${name}`)).sort()
}
