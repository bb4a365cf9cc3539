import type { LoadingStep } from '@plimsoll/core/plugin'
import { tailLines } from './log-tail.js'

interface Stage {
  readonly pattern: RegExp
  readonly step: string
  /** Share of the whole at its begin and at its end: where time usually goes; weights weigh most. */
  readonly from: number
  readonly to: number
}

/** What vLLM writes while it loads, last stage first. A percentage is the pattern's first group. */
const stages: readonly Stage[] = [
  { pattern: /Application startup complete|Started server process/, step: 'starting to listen', from: 0.99, to: 0.99 },
  { pattern: /Graph capturing finished/, step: 'CUDA graphs captured', from: 0.97, to: 0.97 },
  { pattern: /Capturing (?:CUDA|cudagraph|hip)[^\n\r]*?(?::\s*(\d+)%|$)/i, step: 'capturing CUDA graphs', from: 0.87, to: 0.97 },
  { pattern: /\w+ KV cache size: ([\d,]+) tokens|# GPU blocks: \d+/, step: 'KV cache made', from: 0.86, to: 0.86 },
  { pattern: /Available KV cache memory|Memory profiling takes/, step: 'measuring memory', from: 0.84, to: 0.84 },
  {
    pattern: /torch\.compile (?:takes|took|and)|Compiling a graph for|Dynamo bytecode transform|Cache the graph of|torch_compile_cache/,
    step: 'compiling',
    from: 0.72,
    to: 0.72,
  },
  { pattern: /Model loading took|Loading weights took/, step: 'weights loaded', from: 0.7, to: 0.7 },
  { pattern: /Loading [a-z_]+ checkpoint shards:\s*(\d+)% Completed/, step: 'loading weights', from: 0.3, to: 0.7 },
  {
    pattern: /Loading (?:weights|model) from scratch|Starting to load model|Using model weights format|Loading model weights/,
    step: 'loading weights',
    from: 0.3,
    to: 0.3,
  },
  { pattern: /Time spent downloading weights/, step: 'weights downloaded', from: 0.3, to: 0.3 },
  {
    pattern: /Fetching \d+ files:\s*(\d+)%|\.(?:safetensors|bin|gguf):\s*\d+%|Downloading [^\n\r]*?(\d+)%/,
    step: 'downloading weights',
    from: 0.05,
    to: 0.3,
  },
  {
    pattern: /Initializing a V\d LLM engine|Initializing an LLM engine|world_size=\d+ rank=/,
    step: 'starting the engine',
    from: 0.04,
    to: 0.04,
  },
  {
    pattern: /Resolved architecture|Using max model len|Automatically detected platform/,
    step: 'reading the configuration',
    from: 0.02,
    to: 0.02,
  },
  { pattern: /vLLM API server version/, step: 'starting', from: 0.01, to: 0.01 },
]

/** How far a loading vLLM has come. Progress bars are written with carriage returns: the last state of each counts. */
export function loadingStep(logTail: string): LoadingStep | undefined {
  const lines = tailLines(logTail)
  for (const { pattern, step, from, to } of stages) {
    const match = lastMatch(lines, pattern)
    if (match === null) continue
    const shown = match.slice(1).find((group) => group !== undefined)
    const percent = from === to || shown === undefined ? undefined : Math.min(100, Number(shown))
    if (step === 'KV cache made') return { step: shown === undefined ? step : `KV cache for ${shown} tokens made`, progress: from }
    if (percent === undefined || Number.isNaN(percent)) return { step, progress: from }
    return { step: `${step} ${percent} %`, progress: round(from + ((to - from) * percent) / 100) }
  }
  return undefined
}

/** Speculative decoding loads a second model: what matters is the latest line of each kind. */
function lastMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | null {
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const match = pattern.exec(lines[at] ?? '')
    if (match !== null) return match
  }
  return null
}

function round(share: number): number {
  return Math.round(share * 1000) / 1000
}
