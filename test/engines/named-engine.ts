/** Which real engines the environment names. A test file without its engine says so once and is skipped. */
import { accessSync, constants } from 'node:fs'

export type EngineVariable = 'LB_TEST_LLAMA_SERVER' | 'LB_TEST_OLLAMA' | 'LB_TEST_VLLM'

/** Path of the engine's program, or undefined. Throws where the variable names something that cannot be run: a typing mistake must not look like a pass. */
export function namedEngine(variable: EngineVariable): string | undefined {
  const path = process.env[variable]
  if (path === undefined || path === '') {
    process.stdout.write(`  skipped: ${variable} names no engine (docs/extending/real-engines.md)\n`)
    return undefined
  }
  try {
    accessSync(path, constants.X_OK)
  } catch (error) {
    throw new Error(`${variable}=${path} cannot be run: ${String(error)}`, { cause: error })
  }
  return path
}
