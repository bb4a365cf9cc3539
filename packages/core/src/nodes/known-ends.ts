import type { Diagnosis } from '../contracts/index.js'
import type { ProcessEnd } from '../machines/index.js'

interface KnownEnd {
  readonly kind: Diagnosis['kind']
  readonly pattern: RegExp
  /** `$1` is the first group of the pattern. */
  readonly message: string
  readonly hint: string
}

/** What operating systems, runtimes and drivers say when they end a program, whichever program it is. The last line that fits counts. */
const KNOWN: readonly KnownEnd[] = [
  {
    kind: 'port-taken',
    pattern: /EADDRINUSE|address already in use|\[Errno (?:98|48)\]/i,
    message: 'another program holds a port that it needs',
    hint: 'see which with `ss -ltnp`; lb takes the next port for its own by itself',
  },
  {
    kind: 'out-of-memory',
    pattern: /(?:CUDA|HIP)(?: error:?)? out of memory|(?:cuda|hip)Error(?:MemoryAllocation|OutOfMemory)|failed to allocate \S+ buffer/i,
    message: 'the memory of its GPU is full',
    hint: 'give it another GPU, a smaller context or a smaller quantisation; `lb plan` shows what it needs',
  },
  {
    kind: 'out-of-memory',
    pattern: /std::bad_alloc|Cannot allocate memory|\bENOMEM\b|\bMemoryError\b|heap out of memory/i,
    message: 'the machine has no memory left for it',
    hint: 'free memory, or give it a smaller model or context',
  },
  {
    kind: 'no-space',
    pattern: /No space left on device|\bENOSPC\b|disk quota exceeded/i,
    message: 'the disk is full',
    hint: 'make room, or point the cache of models elsewhere (HF_HOME in launch.env)',
  },
  {
    kind: 'model-gated',
    pattern: /gated repo|access to model \S+ is restricted|awaiting a review from the repo authors/i,
    message: 'the model is gated: its owner has not let you in, or no token was given',
    hint: 'accept its terms on its page, then give launch.env an HF_TOKEN as { env: HF_TOKEN }',
  },
  {
    kind: 'model-missing',
    pattern: /Repository Not Found|RepositoryNotFoundError|No such file or directory: '([^']+\.(?:gguf|safetensors|bin))'/i,
    message: 'the model is not there',
    hint: 'look at the name in launch.model; a private one needs a token in launch.env',
  },
  {
    kind: 'no-network',
    pattern: /Temporary failure in name resolution|Name or service not known|\bEAI_AGAIN\b|\bENOTFOUND\b|Network is unreachable/i,
    message: 'it cannot reach the network',
    hint: 'is there a proxy to be named (HTTPS_PROXY)? what is in the cache already is used with HF_HUB_OFFLINE=1',
  },
  {
    kind: 'driver',
    pattern:
      /CUDA driver version is insufficient|NVIDIA driver on your system is too old|no CUDA-capable device|Failed to initialize NVML|no kernel image is available|Found no NVIDIA driver/i,
    message: 'the driver of the GPU does not fit, or no GPU is to be seen',
    hint: 'look at `nvidia-smi` or `rocm-smi`; install a driver that fits the program, or a build of the program that fits the driver',
  },
  {
    kind: 'bad-settings',
    pattern: /error while loading shared libraries: ([^:\s]+)|Library not loaded: (?:@rpath\/)?(\S+)|ImportError: (lib[^:\s]+):/,
    message: 'the library $1 is missing',
    hint: 'install it, or say where it lies: launch.env LD_LIBRARY_PATH (macOS: DYLD_LIBRARY_PATH)',
  },
  {
    kind: 'bad-settings',
    pattern: /ModuleNotFoundError: No module named '([^']+)'/,
    message: 'the Python module $1 is missing',
    hint: 'is launch.venv the environment in which it is installed?',
  },
  {
    kind: 'bad-settings',
    pattern: /Exec format error|cannot execute binary file|bad CPU type in executable/i,
    message: 'the program was built for another kind of machine, or is no program',
    hint: 'look at it with `file`; a script needs a first line such as #!/bin/sh',
  },
]

/** Exit codes and signals that mean the same everywhere. A shell tells a signal as 128 and its number. */
function byEnd({ code, signal }: ProcessEnd): Diagnosis | undefined {
  if (code === 127)
    return {
      kind: 'bad-settings',
      message: 'a command was not found',
      hint: 'is it installed, and on the PATH? see launch.command and launch.venv',
    }
  if (code === 126) return { kind: 'bad-settings', message: 'a command may not be executed', hint: 'look at its permissions: chmod +x' }
  if (signal === 'SIGILL' || code === 132)
    return {
      kind: 'bad-settings',
      message: 'it met an instruction that this processor does not have',
      hint: 'take a build for this processor: one without AVX-512, say',
    }
  return undefined
}

/** Why a program ended, from the end of its log and its exit code, where that can be told without knowing the program. */
export function knownEnd(logTail: string, end: ProcessEnd): Diagnosis | undefined {
  for (const line of logTail.split(/\r?\n/).toReversed().slice(0, MOST_LINES)) {
    const known = KNOWN.find(({ pattern }) => pattern.test(line))
    if (known !== undefined) return { kind: known.kind, message: filled(known, line), hint: known.hint }
  }
  return byEnd(end)
}

const MOST_LINES = 60

function filled({ pattern, message }: KnownEnd, line: string): string {
  return message.replace(
    '$1',
    () =>
      pattern
        .exec(line)
        ?.slice(1)
        .find((group) => group !== undefined) ?? '',
  )
}
