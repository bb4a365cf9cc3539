import { statSync } from 'node:fs'
import type { LaunchPlan, LaunchSlot, NodeSpec, StopStep } from '@plimsoll/core/plugin'
import { settingFlags } from './flags.js'
import type { LlamacppSettings } from './settings.js'
import { parseWeights, type Weights } from './weights.js'

const leastReadyMs = 5 * 60_000
/** A download says nothing for as long as it takes. */
const downloadReadyMs = 60 * 60_000
/** A slow network disk. Newer builds say nothing between the first and the last byte of the weights. */
const slowestBytesPerMs = 50_000

/** What is started: always with `--host` and `--port`, whose defaults change between versions; the key by environment, never on the command line. */
export function launchPlan(spec: NodeSpec<LlamacppSettings>, slot: LaunchSlot): LaunchPlan {
  const weights = parseWeights(spec.weights)
  const { apiKey } = spec
  return {
    command: 'llama-server',
    args: [
      '--host',
      slot.host,
      '--port',
      String(slot.port),
      ...weightFlags(weights),
      ...aliasFlags(spec, weights),
      ...settingFlags(spec.settings, slot.gpus),
    ],
    // By environment, for a build that does not know it leaves it alone; an unknown flag would end it.
    env: { LLAMA_ARG_UI: '0', LLAMA_ARG_WEBUI: '0', ...(apiKey === undefined ? {} : { LLAMA_API_KEY: apiKey }) },
    ...(apiKey === undefined ? {} : { secretEnv: ['LLAMA_API_KEY'] }),
    readyWithinMs: readyWithinMs(weights),
  }
}

/** The first SIGTERM ends the engine's loop and leaves open requests hanging for ever, the second one ends the process. A router waits for its children first. */
export function stopSteps(isRouter: boolean): readonly StopStep[] {
  return [
    { signal: 'SIGTERM', waitMs: isRouter ? 4000 : 1500 },
    { signal: 'SIGTERM', waitMs: 2000 },
  ]
}

function weightFlags(weights: Weights): string[] {
  if (weights.kind === 'none') return []
  if (weights.kind === 'file') return ['-m', weights.path]
  return ['-hf', weights.quant === undefined ? weights.repo : `${weights.repo}:${weights.quant}`]
}

/**
 * The name that answers carry. One alone: llama-server sorts its aliases and answers with the first, and serves any name anyway. A comma would
 * make two of it. A router names its children itself.
 */
function aliasFlags({ model, models }: NodeSpec, weights: Weights): string[] {
  const name = model ?? models.find((each) => !each.includes(','))
  return weights.kind === 'none' || name === undefined || name.includes(',') ? [] : ['-a', name]
}

function readyWithinMs(weights: Weights): number {
  if (weights.kind === 'hugging-face') return downloadReadyMs
  const bytes = weights.kind === 'file' ? (statSync(weights.path, { throwIfNoEntry: false })?.size ?? 0) : 0
  return Math.max(leastReadyMs, Math.ceil(bytes / slowestBytesPerMs))
}
