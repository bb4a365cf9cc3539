import type { Diagnosis } from '@plimsoll/core/plugin'
import { tailLines } from './log-tail.js'

interface Known {
  readonly pattern: RegExp
  readonly kind: Diagnosis['kind']
  readonly message: (match: RegExpExecArray) => string
  readonly hint: string | ((match: RegExpExecArray) => string)
}

/**
 * What vLLM, PyTorch and the Hugging Face client write when a start fails, the most telling first: an engine that dies of memory also writes a dozen
 * lines about its workers, and the front end ends with "See root cause above".
 */
const known: readonly Known[] = [
  {
    pattern: /unrecognized arguments?: ([^\n]{1,200})/,
    kind: 'bad-settings',
    message: ([, flags]) => `this vLLM does not know ${flags}`,
    hint: 'flags come and go between versions: `vllm serve --help=all` lists those of the one installed; see args and extraArgs',
  },
  {
    pattern: /error: argument ([^\n]{1,200})/,
    kind: 'bad-settings',
    message: ([, what]) => `vLLM refuses an argument: ${what}`,
    hint: 'correct it under launch.args',
  },
  {
    pattern: /larger than the (?:available KV cache memory|maximum number of tokens that can be stored in KV cache) \(([^)]{1,30})\)/,
    kind: 'out-of-memory',
    message: ({ input }) => kvTooSmall(input),
    hint: ({ input }) => {
      const fits = fittingContext(input)
      return `${fits === undefined ? 'set a smaller maxModelLen' : `set maxModelLen: ${fits} or less`}, or raise gpuMemoryUtilization, or use kvCacheDtype: fp8, or more GPUs (tensorParallel)`
    },
  },
  {
    pattern: /No available memory for the cache blocks/,
    kind: 'out-of-memory',
    message: () => 'the weights leave no GPU memory for the KV cache',
    hint: 'raise gpuMemoryUtilization, or take a quantised model, or more GPUs (tensorParallel)',
  },
  {
    pattern: /Free memory on device ?(\S*) ?\(([\d.]+)\/([\d.]+) GiB\)[^\n]{0,80}utilization \(([\d.]+), ([\d.]+) GiB\)/,
    kind: 'out-of-memory',
    message: ([, device, free, total, share, wanted]) =>
      `${device === '' ? 'the GPU' : device} has ${free} of ${total} GiB free, and gpuMemoryUtilization ${share} asks for ${wanted} GiB`,
    hint: ([, , free, total]) =>
      `set gpuMemoryUtilization: ${safeShare(free, total)} or less, or free the GPU: nvidia-smi shows who holds it`,
  },
  {
    pattern: /(?:CUDA|HIP) out of memory\.?\s*(?:Tried to allocate ([\d.]+ [KMG]iB))?|OutOfMemoryError(?!: (?:CUDA|HIP))/,
    kind: 'out-of-memory',
    message: ([, size]) => `the GPU ran out of memory${size === undefined ? '' : ` (${size} more were wanted)`}`,
    hint: 'set a smaller maxModelLen, maxNumSeqs or gpuMemoryUtilization, a quantised model, or more GPUs (tensorParallel)',
  },
  {
    pattern: /World size \((\d+)\) is larger than the number of available GPUs \((\d+)\)/,
    kind: 'bad-settings',
    message: ([, wanted, there]) => `${wanted} GPUs are wanted and ${there} can be seen`,
    hint: 'tensorParallel × pipelineParallel must not be over the GPUs of the node; see gpus and CUDA_VISIBLE_DEVICES',
  },
  {
    pattern: /(EPLB (?:requires|currently only supports)[^\n]{1,150}|Number of experts in the model must be greater than 0)/,
    kind: 'bad-settings',
    message: ([said]) => `vLLM cannot spread the experts so: ${said}`,
    hint: 'see expertParallel, eplb.redundantExperts and the number of GPUs',
  },
  {
    pattern: /attention heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)/,
    kind: 'bad-settings',
    message: ([, heads, size]) => `the model has ${heads} attention heads, which ${size} GPUs cannot share evenly`,
    hint: 'set tensorParallel to a divisor of that number, and use pipelineParallel for the rest',
  },
  {
    pattern: /Access to model (\S+) is restricted and you are not in the authorized list|awaiting a review from the repo authors/,
    kind: 'model-gated',
    message: ([, model]) => `${model ?? 'the model'} is gated, and this token’s owner has no access yet`,
    hint: 'ask for access on the model’s page at huggingface.co',
  },
  {
    pattern: /Access to model (\S+) is restricted|GatedRepoError|You are trying to access a gated repo/,
    kind: 'model-gated',
    message: ([, model]) => `${model ?? 'the model'} is gated, and no token was sent`,
    hint: 'accept its terms on huggingface.co, then launch.env: { HF_TOKEN: { env: HF_TOKEN } }',
  },
  {
    pattern: /RepositoryNotFoundError|is not a local folder and is not a valid model identifier|Repository Not Found for url/,
    kind: 'model-missing',
    message: () => 'Hugging Face knows no such model, or it is private',
    hint: 'check launch.model; a private one needs launch.env: { HF_TOKEN: { env: HF_TOKEN } }',
  },
  {
    pattern: /No space left on device/,
    kind: 'no-space',
    message: () => 'the disk is full',
    hint: 'free space, or point HF_HOME to another disk under launch.env (models), or TMPDIR and VLLM_CACHE_ROOT (compiled graphs)',
  },
  {
    pattern:
      /LocalEntryNotFoundError|outgoing traffic has been disabled|HF_HUB_OFFLINE|offline mode is enabled|couldn't connect to '?https?:\/\/|We couldn.t connect to/,
    kind: 'no-network',
    message: () => 'the model is not (wholly) in the cache, and Hugging Face was not reached',
    hint: 'fetch it where there is a network (hf download MODEL), or unset HF_HUB_OFFLINE, or see HTTPS_PROXY',
  },
  {
    pattern: /(?:Name or service not known|Temporary failure in name resolution|Network is unreachable|Max retries exceeded with url)/,
    kind: 'no-network',
    message: () => 'the network was not reached',
    hint: 'see HTTPS_PROXY and DNS, or fetch the model where there is a network (hf download MODEL)',
  },
  {
    pattern: /Address already in use|Errno 98\b|Errno 48\b|EADDRINUSE/,
    kind: 'port-taken',
    message: () => 'a port was taken by another process',
    hint: 'lb tries the next one; a VLLM_PORT under launch.env would be the base of vLLM’s internal ports: leave it out',
  },
  {
    pattern: /NVIDIA driver on your system is too old \(found version (\d+)\)|CUDA driver version is insufficient/,
    kind: 'driver',
    message: ([, version]) =>
      `the NVIDIA driver is too old for this vLLM${version === undefined ? '' : ` (it knows CUDA ${cudaVersion(version)})`}`,
    hint: 'update the driver, or install a vLLM built for that CUDA version',
  },
  {
    pattern:
      /Failed to infer device type|No CUDA GPUs are available|Found no NVIDIA driver|libcuda\.so[^\n]{0,40}cannot open|no CUDA-capable device/,
    kind: 'driver',
    message: () => 'vLLM sees no GPU',
    hint: 'look at nvidia-smi, CUDA_VISIBLE_DEVICES and the gpus of the node',
  },
  {
    pattern:
      /no kernel image is available|compute capability (?:of )?at least ([\d.]+)|with CUDA capability (sm_\d+) is not compatible|Bfloat16 is only supported/,
    kind: 'driver',
    message: ([, least, found]) =>
      `this GPU is not supported${found === undefined ? '' : ` (${found})`}${least === undefined ? '' : ` (compute capability ${least} is needed)`}`,
    hint: 'on older cards dtype: float16 may do; else take a vLLM build for them, or another engine',
  },
  {
    pattern: /User-specified max_model_len \((\d+)\) is greater than the derived max_model_len \([^)]*?(\d+)/,
    kind: 'bad-settings',
    message: ([, asked, most]) => `maxModelLen ${asked} is more than the model was made for (${most})`,
    hint: ([, , most]) => `set maxModelLen: ${most} or less`,
  },
  {
    pattern: /Model architectures? \[?([^\]\n]{1,80})\]? (?:failed to be inspected|are not supported)|does not recognize this architecture/,
    kind: 'bad-settings',
    message: ([, name]) => `this vLLM does not know the model’s architecture${name === undefined ? '' : ` (${name})`}`,
    hint: 'update vLLM (and transformers), or take another engine',
  },
  {
    pattern: /trust_remote_code=True|--trust-remote-code/,
    kind: 'bad-settings',
    message: () => 'the model comes with Python code of its own',
    hint: 'set trustRemoteCode: true if you trust its author',
  },
  {
    pattern:
      /(?:No such file or directory|command not found)[^\n]{0,40}\bvllm\b|\bvllm\b[^\n]{0,40}(?:command not found|No such file)|No module named 'vllm'/,
    kind: 'bad-settings',
    message: () => 'vLLM is not installed there',
    hint: 'pip install vllm, or name its environment: launch.venv: PATH',
  },
]

/** Why vLLM ended, from the last lines of its log; undefined for what nobody knew when this was written. */
export function diagnose(logTail: string): Diagnosis | undefined {
  const log = tailLines(logTail).join('\n')
  for (const { pattern, kind, message, hint } of known) {
    const match = pattern.exec(log)
    if (match !== null) return { kind, message: message(match), hint: typeof hint === 'string' ? hint : hint(match) }
  }
  return refusedValue(log) ?? lastError(log)
}

/** vLLM checks its settings with pydantic, whose own exception says nothing; the reason is in the line behind it. */
function refusedValue(log: string): Diagnosis | undefined {
  const said = [...log.matchAll(/Value error, ([^\n]{1,300}?)(?: \[type=|\n|$)/g)].at(-1)?.[1]
  return said === undefined
    ? undefined
    : {
        kind: 'bad-settings',
        message: `vLLM refuses its settings: ${said}`,
        hint: 'correct launch.args; the whole is in the log of the node: lb logs NODE',
      }
}

/** At each start it warns of an error that may come, and names it: too few open files. */
const justWarned = /^(?:\([^)]{1,80}\) )?(?:INFO|WARNING|DEBUG) .*$/gm

/** The last exception that names itself, where none of the known ones is there. */
function lastError(log: string): Diagnosis | undefined {
  const said = [...log.replaceAll(justWarned, '').matchAll(/\b([A-Z]\w*(?:Error|Exception)): ([^\n]{1,300})/g)]
    .filter(([, , text = '']) => !/See root cause above|Engine core initialization failed/.test(text))
    .at(-1)
  return said === undefined
    ? undefined
    : { kind: 'other', message: `${said[1]}: ${said[2]}`, hint: 'the whole is in the log of the node: lb logs NODE' }
}

function kvTooSmall(text: string): string {
  const asked = /max seq len \((\d+)\)/.exec(text)?.[1]
  const needed = /([\d.]+) GiB KV cache is needed/.exec(text)?.[1]
  const there = /KV cache memory \(([\d.]+) GiB\)/.exec(text)?.[1]
  const sizes = needed === undefined || there === undefined ? '' : `: ${needed} GiB are needed, ${there} GiB are left`
  return `one request of ${asked ?? 'maxModelLen'} tokens does not fit into the KV cache${sizes}`
}

function fittingContext(text: string): string | undefined {
  return /estimated\s+maximum model length is (\d+)/.exec(text)?.[1] ?? /can be stored in KV cache \((\d+)\)/.exec(text)?.[1]
}

/** A little under what is free: other processes come and go. */
function safeShare(free = '0', total = '1'): string {
  return (Math.floor(((Number(free) - 0.5) / Number(total)) * 100) / 100).toFixed(2)
}

/** 12080 is CUDA 12.8. */
function cudaVersion(number: string): string {
  return `${Math.floor(Number(number) / 1000)}.${Math.floor((Number(number) % 1000) / 10)}`
}
