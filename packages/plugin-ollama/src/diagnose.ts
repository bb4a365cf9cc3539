import type { Diagnosis, LoadingStep } from '@plimsoll/core/plugin'

type Kind = Diagnosis['kind']

interface Sign {
  readonly kind: Kind
  readonly pattern: RegExp
  readonly message: string
  readonly hint: string
}

/** First match counts: what stands above explains what stands below it. */
const signs: readonly Sign[] = [
  {
    kind: 'port-taken',
    pattern: /bind: (?:address already in use|Only one usage)/,
    message: 'its port is held by another program',
    hint: 'lb takes the next port by itself; an Ollama of your own holds 11434: attach it instead',
  },
  {
    kind: 'bad-settings',
    pattern: /\$?HOME is not defined/,
    message: 'HOME is not set, and no folder for the models is named',
    hint: 'set launch.args.modelsDir, or HOME in launch.env',
  },
  {
    kind: 'no-space',
    pattern: /no space left on device|ENOSPC|not enough (?:disk )?space/i,
    message: 'the disk of its models folder is full',
    hint: 'free some space, or point launch.args.modelsDir at a larger disk; what was pulled is kept',
  },
  {
    kind: 'out-of-memory',
    pattern: /requires more system memory|out of memory|cudaMalloc failed|unable to allocate|failed to allocate|ErrorOutOfDeviceMemory/i,
    message: 'the model does not fit into memory',
    hint: 'lower launch.args.contextTokens or parallel, set kvCacheType: q8_0, or take a smaller quantisation of the model',
  },
  {
    kind: 'model-gated',
    pattern: /unauthorized|authentication required|401: .*pull|access to model .* is restricted|403.*manifest/i,
    message: 'the registry does not give this model to everybody',
    hint: 'sign in with `ollama signin`, or take a public model; Hugging Face wants the key of ~/.ollama/id_ed25519.pub in your account',
  },
  {
    kind: 'model-missing',
    pattern: /file does not exist|model ["']?[^"' ]+["']? not found|manifest unknown|pull model manifest: 404/i,
    message: 'there is no such model',
    hint: 'look for its exact name and tag at https://ollama.com/search',
  },
  {
    kind: 'no-network',
    pattern:
      /no such host|dial tcp|network is unreachable|TLS handshake timeout|i\/o timeout|proxyconnect|server misbehaving|max retries exceeded/i,
    message: 'the registry of models cannot be reached',
    hint: 'check the network; behind a proxy HTTPS_PROXY must be set where lb runs; offline, bring the models folder and set pull: never',
  },
  {
    kind: 'driver',
    pattern: /CUDA driver version is insufficient|driver\/library version mismatch|no CUDA-capable device|unsupported (?:gpu|driver)/i,
    message: 'the GPU driver does not fit what Ollama was built for',
    hint: 'update the driver; `nvidia-smi` says which one runs',
  },
  {
    kind: 'bad-settings',
    pattern: /permission denied|read-only file system/i,
    message: 'it may not write where it must',
    hint: 'launch.args.modelsDir must be writable for the user that runs lb; a system-wide Ollama keeps its own under /usr/share/ollama',
  },
  {
    kind: 'other',
    pattern: /llama-server process has terminated|llama runner process has terminated|model runner has unexpectedly stopped/i,
    message: 'the process that holds the model ended',
    hint: 'the next request loads the model again; look above this line in the log for its last words',
  },
]

/** Why it ended or failed, from its log or from an error that it answered. */
export function diagnose(text: string): Diagnosis | undefined {
  const sign = signs.find(({ pattern }) => pattern.test(text))
  if (sign === undefined) return undefined
  const { kind, pattern, message, hint } = sign
  const line = text.split(/[\r\n]+/).findLast((each) => pattern.test(each))
  return { kind, message: line === undefined ? message : `${message}: ${wordsOf(line)}`, hint }
}

/** The `error="..."` or `msg="..."` of a structured line, else the line. */
function wordsOf(line: string): string {
  const found = /\berror="((?:[^"\\]|\\.)*)"/.exec(line) ?? /\berr="((?:[^"\\]|\\.)*)"/.exec(line) ?? /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)
  return (found?.[1] ?? line)
    .replaceAll('\\"', '"')
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 300)
}

interface Step {
  readonly pattern: RegExp
  readonly step: string
}

/** In no order: the one that stands last in the log counts. */
const steps: readonly Step[] = [
  { pattern: /Listening on /, step: 'waiting for work' },
  { pattern: /discovering available GPUs|looking for compatible GPUs|inference compute/, step: 'looking for GPUs' },
  { pattern: /starting (?:llama-server|llama server|runner)/, step: 'starting the process that holds the model' },
  { pattern: /loading model|llm server loading model|load_tensors|llama_model_loader/, step: 'loading weights' },
  { pattern: /llama runner started|server is listening|model loaded/, step: 'loaded' },
]

/** Read from the last lines of `ollama serve` and its children. Pulls are not logged with their progress; the probe tells that. */
export function loadingStep(logTail: string): LoadingStep | undefined {
  for (const line of logTail.split(/[\r\n]+/).reverse()) {
    const progress = /model load progress (\d(?:\.\d+)?)/.exec(line)?.[1]
    if (progress !== undefined) return { step: 'loading weights', progress: Math.min(1, Number(progress)) }
    const found = steps.find(({ pattern }) => pattern.test(line))
    if (found !== undefined) return { step: found.step }
  }
  return undefined
}
