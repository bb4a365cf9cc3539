/** Whoever asks again within the time gets the answer that is there, or on its way, or its failure. */
export function atMostEvery<Value, Args extends readonly unknown[]>(
  waitMs: number,
  nowMs: () => number,
  ask: (...args: Args) => Promise<Value>,
): (...args: Args) => Promise<Value> {
  let last: { readonly atMs: number; readonly answer: Promise<Value> } | undefined
  return (...args) => {
    const atMs = nowMs()
    if (last === undefined || atMs - last.atMs >= waitMs) last = { atMs, answer: ask(...args) }
    return last.answer
  }
}
