import type { LoadingStep } from '@plimsoll/core/plugin'
import { stripVTControlCharacters } from './plain-text.js'

interface Sign {
  readonly pattern: RegExp
  readonly step: string
}

/** From the last to the first: the line that stands furthest down counts. Builds since 2026 say less of it. */
const signs: readonly Sign[] = [
  { pattern: /load_model: initializing, n_slots/, step: 'making its slots' },
  { pattern: /warming up the model/, step: 'warming up' },
  {
    pattern: /llama_kv_cache|llama_context: constructing|llama_new_context_with_model|KV buffer size/,
    step: 'making room for the KV cache',
  },
  { pattern: /load_tensors|llm_load_tensors|buffer size =|^\.{3,}/, step: 'loading weights' },
  {
    pattern: /params_fit|llama_model_loader|load_model: loading model|srv +llama_server: loading model|main: loading model/,
    step: 'reading the model',
  },
  { pattern: /common_download|downloading|\.downloadInProgress|\d{1,3}% *\|/i, step: 'downloading the model' },
]

/** One dot a percent, in builds that print them. */
const dots = /^\.+$/

/** How far a start has come, from the last lines of the log. */
export function loadingStep(logTail: string): LoadingStep | undefined {
  const lines = stripVTControlCharacters(logTail).split(/[\r\n]+/)
  for (const line of lines.toReversed()) {
    const step = signs.find(({ pattern }) => pattern.test(line))?.step
    if (step !== undefined) return { step, ...progressOf(step, line) }
  }
  return undefined
}

function progressOf(step: string, line: string): { readonly progress?: number } {
  if (step === 'loading weights' && dots.test(line)) return { progress: Math.min(1, line.length / 100) }
  const [, percent] = step === 'downloading the model' ? (/(\d{1,3}(?:\.\d+)?) ?%/.exec(line) ?? []) : []
  return percent === undefined ? {} : { progress: Math.min(1, Number(percent) / 100) }
}
