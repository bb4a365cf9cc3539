import assert from 'node:assert/strict'

/** How one question to a plugin ended. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: Error }

/** Waits for a plugin's answer. Fails where it throws something that is no Error, or keeps the asker waiting. */
export async function outcomeOf<Value>(what: string, ask: () => Promise<Value>, withinMs = 10_000): Promise<Outcome<Value>> {
  let late: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_resolve, reject) => {
    late = setTimeout(() => reject(new assert.AssertionError({ message: `${what}: no end within ${withinMs} ms` })), withinMs)
  })
  try {
    return { value: await Promise.race([ask(), patience]) }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    assert.ok(error instanceof Error, `${what}: threw ${String(error)}, which is no Error`)
    assert.notEqual(error.message, '', `${what}: threw an Error without a message`)
    return { error }
  } finally {
    clearTimeout(late)
  }
}
