import type { PromptRun } from '../workload.js'

/** What is shared is joined to stretches of at most so many tokens: about the size in which the balancer tells prompts apart. */
const JOINED_TOKENS = 512

/** How often each block occurs; a block stands behind one and the same block wherever it occurs. */
export function countBlocks(prompts: Iterable<readonly PromptRun[]>): Map<number, number> {
  const counts = new Map<number, number>()
  for (const prompt of prompts) for (const { id } of prompt) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

/**
 * The same prompt in fewer runs. Blocks that occur equally often one behind the other occur together always, so they may be one run; what occurs once
 * becomes one run at the end, however long.
 */
export function joinBlocks(prompt: readonly PromptRun[], counts: ReadonlyMap<number, number>): readonly PromptRun[] {
  const runs: PromptRun[] = []
  let last: { id: number; tokens: number; count: number } | undefined
  for (const { id, tokens } of prompt) {
    const count = counts.get(id) ?? 1
    if (last !== undefined && last.count === count && (count === 1 || last.tokens + tokens <= JOINED_TOKENS)) last.tokens += tokens
    else {
      if (last !== undefined) runs.push({ id: last.id, tokens: last.tokens })
      last = { id, tokens, count }
    }
  }
  if (last !== undefined) runs.push({ id: last.id, tokens: last.tokens })
  return runs
}
