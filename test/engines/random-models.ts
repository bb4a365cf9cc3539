/** Runs the scripts that write small models of random weights, as a person would. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repository } from '../e2e/house.js'

export interface ModelOptions {
  readonly seed?: number
  readonly width?: number
  readonly layers?: number
  readonly contextTokens?: number
}

/** Writes a GGUF file, or a folder as Hugging Face has them; throws what the script said. */
export function makeModel(kind: 'gguf' | 'hf', path: string, options: ModelOptions = {}): string {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const script = join(repository, 'scripts', `make-random-${kind}.js`)
  const { status, stderr } = spawnSync(process.execPath, [script, path, ...flags], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return path
}
