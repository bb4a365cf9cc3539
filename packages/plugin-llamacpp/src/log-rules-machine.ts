import { type LogRule, rule } from './log-rule.js'

const smaller = 'a smaller contextTokens or fewer slots, kvTypeK and kvTypeV: q8_0, a smaller quantisation, fewer gpuLayers, or more GPUs'

/** Memory and ports. */
export const memoryRules: readonly LogRule[] = [
  rule(
    'out-of-memory',
    /allocating ([\d.]+) MiB on device (\d+): .*out of memory/,
    ([, mib, device]) => `GPU ${device} has no room for ${mib} MiB more`,
    smaller,
  ),
  rule(
    'out-of-memory',
    /failed to allocate (\S+) buffer of size (\d+)/,
    ([, device, bytes]) => `${device} has no room for ${Math.ceil(Number(bytes) / 1024 ** 2)} MiB more`,
    smaller,
  ),
  rule(
    'out-of-memory',
    /kIOGPUCommandBufferCallbackErrorOutOfMemory|ggml_metal\S*: error: failed to allocate/,
    'Metal has no memory left',
    smaller,
  ),
  rule(
    'out-of-memory',
    /(?:CUDA|HIP|ROCm|MUSA) error:? ?out of memory|cudaMalloc failed|hipMalloc failed/i,
    'the GPU has no memory left',
    smaller,
  ),
  rule(
    'out-of-memory',
    /ErrorOutOfDeviceMemory|ErrorOutOfHostMemory|Device memory allocation of size \d+ failed/,
    'Vulkan has no memory left',
    smaller,
  ),
  rule(
    'out-of-memory',
    /failed to allocate buffer for kv cache|failed to allocate compute (?:pp |tg )?buffers|unable to allocate \S+ buffer/,
    'there is no room for the context',
    smaller,
  ),
  rule(
    'out-of-memory',
    /std::bad_alloc|insufficient memory \(attempted|Cannot allocate memory/,
    'main memory is exhausted',
    'a smaller model or context, cacheRamMiB: 0 (llama-server keeps up to 8 GiB of prompts there), fewer replicas',
  ),
  rule(
    'port-taken',
    /couldn't bind HTTP server socket.*port: (\d+)|bind.*Address already in use/,
    ([, port]) => (port === undefined ? 'its port is taken' : `port ${port} is taken`),
    'lb tries the next port by itself; a server of your own command has to listen on ${PORT}',
  ),
]

/** GPUs, drivers, libraries. A build that finds no GPU goes on without, so these lines may stand in any log. */
export const driverRules: readonly LogRule[] = [
  rule(
    'driver',
    /CUDA driver version is insufficient for CUDA runtime version|unsupported display driver|driver\/library version mismatch/i,
    'the NVIDIA driver is too old for this build, or its parts do not fit together',
    'nvidia-smi shows the driver; update it (a reboot may be due), or take a build for an older CUDA',
  ),
  rule(
    'driver',
    /no kernel image is available for execution|invalid device function|ARCHS.*does not include/,
    'this build has no code for this GPU',
    'take a build for its compute capability',
  ),
  rule(
    'driver',
    /(?:failed to initialize (?:CUDA|ROCm|HIP)|CUDA error): *(.*)/,
    ([, why]) => `the GPU cannot be used: ${why ?? ''}`,
    'llama-server --list-devices shows what it sees; nvidia-smi or rocm-smi whether the driver answers',
  ),
  rule(
    'driver',
    /error while loading shared libraries: (\S+):|Library not loaded: (\S+)/,
    ([, library, framework]) => `the library ${library ?? framework} is missing`,
    'install what the build needs, or name its folder in launch.env LD_LIBRARY_PATH',
  ),
  rule(
    'driver',
    /version `(GLIBC\S*)' not found/,
    ([, version]) => `this build needs ${version}, which the system lacks`,
    'take a build for this system',
  ),
  rule('driver', /Illegal instruction/i, 'this build uses instructions that the processor lacks', 'take a build for this processor'),
]
