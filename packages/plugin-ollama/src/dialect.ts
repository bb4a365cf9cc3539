import { type AnswerClass, type Dialect, openaiBase, openaiDialect } from '@plimsoll/core/plugin'

/**
 * OpenAI's dialect, plus what Ollama does otherwise (source read at fb307609, 2026-08-21). Its guard against foreign Host headers needs nothing here: core
 * writes the node's own authority. Options that would make it load the model again (num_ctx, num_gpu ...) and keep_alive cannot come in: its OpenAI face
 * reads neither, and no other face is served. A stream that fails brings an empty content chunk and ends without `[DONE]`, which counts as cut.
 */
export function ollamaDialect(url: string): Dialect {
  const usual = openaiDialect()
  return openaiDialect({
    paths: openaiBase(url).paths,
    classify: (status, headers, bodyStart) =>
      (status < 400 ? undefined : classOf(status, bodyStart)) ?? usual.classify(status, headers, bodyStart),
  })
}

interface Meaning {
  readonly status: number
  readonly says: RegExp
  readonly means: AnswerClass
}

const meanings: readonly Meaning[] = [
  // Which models a node has is its own affair: what one has not pulled, another may have. An older server lacks a path that a newer one has.
  { status: 404, says: /model .*not found|404 page not found/, means: 'retry' },
  // Its host guard, with an empty body; a cloud model while that is off, or while nobody is signed in.
  { status: 403, says: /^\s*$|cloud/i, means: 'retry' },
  { status: 401, says: /unauthorized/i, means: 'retry' },
  // It took our request for one that its client had left.
  { status: 499, says: /./, means: 'retry' },
  { status: 500, says: /process has terminated|runner has unexpectedly stopped|runner process no longer running/i, means: 'death' },
  { status: 500, says: /requires more system memory|out of memory|unable to allocate|failed to allocate/i, means: 'cooldown' },
  { status: 500, says: /timed out waiting for|error loading model|failed to load|unable to load/i, means: 'retry' },
  { status: 503, says: /maximum pending requests/, means: 'cooldown' },
]

function classOf(status: number, bodyStart: string): AnswerClass | undefined {
  return meanings.find((meaning) => meaning.status === status && meaning.says.test(bodyStart))?.means
}
