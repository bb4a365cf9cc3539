import { createHash } from 'node:crypto'
import { sampleOfFiles, type NodeSpec } from '@plimsoll/core/plugin'
import type { SimSettings } from './settings.js'

/** What it would answer with: profile, seed, and `launch.model`, with the bytes of a file where it names one. */
export async function weightsContent({ settings, weights }: NodeSpec<Partial<SimSettings>>): Promise<string | undefined> {
  const { profile, seed } = settings
  if (profile === undefined) return undefined
  const bytes = weights === undefined ? undefined : await sampleOfFiles([weights])
  const said = JSON.stringify([profile, seed, weights ?? null, bytes ?? null])
  return `sim:${createHash('sha256').update(said).digest('hex').slice(0, 16)}`
}
