import { describe, expect, it } from 'vitest'
import { diagnose } from './diagnose.js'
import { loadingStep } from './loading-step.js'

/** Lines as users of vLLM 0.9 to 0.2x posted them in its issues; models and paths changed. */
const log = {
  start: '(APIServer pid=1) INFO 05-06 20:59:01 [utils.py:325] vLLM API server version 0.19.0',
  resolved: '(APIServer pid=1) INFO 05-06 20:59:09 [model.py:541] Resolved architecture: Qwen3ForCausalLM',
  engine: "(EngineCore pid=310) INFO 05-06 20:59:20 [core.py:69] Initializing a V1 LLM engine (v0.19.0) with config: model='Qwen/Qwen3-4B'",
  download: 'model-00001-of-00002.safetensors:  45%|████▌     | 2.24G/4.97G [00:21<00:26, 104MB/s]',
  fetching: 'Fetching 3 files:  33%|███▎      | 1/3 [00:10<00:20, 10.2s/it]',
  shards:
    'Loading safetensors checkpoint shards:   0% Completed | 0/9 [00:00<?, ?it/s]\rLoading safetensors checkpoint shards:  56% Completed | 5/9 [00:13<00:11,  2.87s/it]',
  loaded: '(EngineCore pid=310) INFO 05-06 20:59:59 [gpu_model_runner.py:4879] Model loading took 7.64 GiB memory and 31.657031 seconds',
  compile: '(EngineCore pid=310) INFO 05-06 21:00:16 [backends.py:1128] Dynamo bytecode transform time: 3.54 s',
  memory: '(EngineCore pid=310) INFO 05-06 21:00:40 [gpu_worker.py:437] Available KV cache memory: 5.03 GiB',
  kv: '(EngineCore pid=310) INFO 05-06 21:00:41 [kv_cache_utils.py:1319] GPU KV cache size: 188,512 tokens',
  graphs: 'Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  50%|█████     | 25/51 [00:02<00:02, 10.60it/s]',
  captured: '(EngineCore pid=310) INFO 05-06 21:00:47 [gpu_model_runner.py:6456] Graph capturing finished in 6 secs, took 0.38 GiB',
  up: '(APIServer pid=1) INFO:     Application startup complete.',
}

describe('how far vLLM has come', () => {
  it('is read from its log, stage by stage', () => {
    const seen: [string, number | undefined][] = []
    let tail = ''
    for (const line of Object.values(log)) {
      tail += `${line}\n`
      const step = loadingStep(tail)
      seen.push([step?.step ?? 'nothing', step?.progress])
    }
    expect(seen.map(([step]) => step)).toEqual([
      'starting',
      'reading the configuration',
      'starting the engine',
      'downloading weights',
      'downloading weights 33 %',
      'loading weights 56 %',
      'weights loaded',
      'compiling',
      'measuring memory',
      'KV cache for 188,512 tokens made',
      'capturing CUDA graphs 50 %',
      'CUDA graphs captured',
      'starting to listen',
    ])
    const progress = seen.map(([, share]) => share ?? -1)
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
  })

  it('is unknown where the log says nothing of it', () => {
    expect(loadingStep('')).toBeUndefined()
    expect(loadingStep('hello\nworld')).toBeUndefined()
  })
})

describe('a log of vLLM 0.33', () => {
  it.each([
    ['torch.compile took 12.00 s in total', 'compiling'],
    ['GPU KV cache size: 188,512 tokens, 11,782 blocks', 'KV cache for 188,512 tokens made'],
    ['CPU KV cache size: 4,096 tokens, ', 'KV cache for 4,096 tokens made'],
  ])('%s', (line, step) => {
    expect(loadingStep(line)?.step).toBe(step)
  })
})

describe('why vLLM ended', () => {
  const kvError =
    "(EngineCore pid=110) ERROR 08-28 07:39:28 [core.py:1346] ValueError: To serve at least one request with the model's max seq len (40960), (4.38 GiB KV cache is needed, which is larger than the available KV cache memory (1.0 GiB). Based on the available memory, the estimated maximum model length is 9344. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine."
  const root = '\n(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}'

  it.each([
    [kvError, 'out-of-memory', /40960 tokens.*4\.38 GiB.*1\.0 GiB/, /maxModelLen: 9344/],
    [
      'ValueError: Free memory on device (31.44/47.38 GiB) on startup is less than desired GPU memory utilization (0.95, 45.01 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.',
      'out-of-memory',
      /the GPU has 31\.44 of 47\.38 GiB free/,
      /gpuMemoryUtilization: 0\.65/,
    ],
    [
      'ValueError: Free memory on device cuda:0 (111.99/139.8 GiB) on startup is less than desired GPU memory utilization (0.95, 132.81 GiB).',
      'out-of-memory',
      /cuda:0 has 111\.99 of 139\.8 GiB/,
      /gpuMemoryUtilization: 0\.79/,
    ],
    [
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.68 GiB of which 1.10 GiB is free.',
      'out-of-memory',
      /2\.00 GiB more/,
      /maxModelLen/,
    ],
    [
      'ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`',
      'out-of-memory',
      /KV cache/,
      /gpuMemoryUtilization/,
    ],
    [
      "ValueError: The model's max seq len (4096) is larger than the maximum number of tokens that can be stored in KV cache (3664). Try increasing",
      'out-of-memory',
      /4096 tokens/,
      /maxModelLen: 3664/,
    ],
    [
      'Value error, World size (2) is larger than the number of available GPUs (1) in this node.',
      'bad-settings',
      /2 GPUs are wanted and 1/,
      /tensorParallel/,
    ],
    [
      'ValueError: EPLB currently only supports even distribution of experts across ranks. Got 60 experts and 8 EP ranks.',
      'bad-settings',
      /60 experts/,
      /redundantExperts/,
    ],
    [
      'ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8).',
      'bad-settings',
      /28 attention heads.*8/,
      /divisor/,
    ],
    [
      'Access to model meta-llama/Llama-2-7b-hf is restricted. You must have access to it and be authenticated to access it. Please log in.',
      'model-gated',
      /meta-llama\/Llama-2-7b-hf is gated, and no token/,
      /HF_TOKEN/,
    ],
    [
      'Access to model meta-llama/Llama-2-7b-hf is restricted and you are not in the authorized list. Visit https://huggingface.co/meta-llama/Llama-2-7b-hf to ask for access.',
      'model-gated',
      /no access yet/,
      /huggingface\.co/,
    ],
    [
      "OSError: qwen/none is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
      'model-missing',
      /no such model/,
      /launch\.model/,
    ],
    [
      "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision on the local disk and outgoing traffic has been disabled. To enable repo look-ups and downloads online, pass 'local_files_only=False' as input.",
      'no-network',
      /cache/,
      /HF_HUB_OFFLINE/,
    ],
    [
      "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /api",
      'no-network',
      /network/,
      /HTTPS_PROXY/,
    ],
    ['OSError: [Errno 28] No space left on device', 'no-space', /full/, /HF_HOME/],
    ['OSError: [Errno 98] Address already in use', 'port-taken', /port/, /VLLM_PORT/],
    ['RuntimeError: The NVIDIA driver on your system is too old (found version 12080). Please update', 'driver', /CUDA 12\.8/, /driver/],
    ['RuntimeError: Failed to infer device type, please set the environment variable', 'driver', /no GPU/, /nvidia-smi/],
    ['RuntimeError: CUDA error: no kernel image is available for execution on the device', 'driver', /not supported/, /float16/],
    [
      'ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has compute capability 7.5.',
      'driver',
      /not supported/,
      /float16/,
    ],
    ['vllm: error: unrecognized arguments: --task embed', 'bad-settings', /--task embed/, /extraArgs/],
    ["api_server.py: error: argument --dtype: invalid choice: 'fp7'", 'bad-settings', /--dtype/, /launch\.args/],
    [
      "ValueError: User-specified max_model_len (999999) is greater than the derived max_model_len (max_position_embeddings=40960 or model_max_length=None in model's config.json).",
      'bad-settings',
      /999999.*40960/,
      /maxModelLen: 40960/,
    ],
    ["ValueError: Model architectures ['FooForCausalLM'] are not supported for now.", 'bad-settings', /FooForCausalLM/, /update vLLM/],
    ['/usr/bin/env: ‘vllm’: No such file or directory', 'bad-settings', /not installed/, /pip install/],
  ])('%s', (line, kind, message, hint) => {
    for (const tail of [line, `${line}${root}`, `Traceback (most recent call last):\n  File "x.py", line 1\n${line}\n${root}\n`]) {
      expect(diagnose(tail)).toEqual({ kind, message: expect.stringMatching(message), hint: expect.stringMatching(hint) })
    }
  })

  it('is what pydantic was told, not pydantic’s own exception', () => {
    const tail = `pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, Sleep mode is not supported on current platform. [type=value_error, input_value=ArgsKwargs((), {'model': 'x'}), input_type=ArgsKwargs]
    For further information visit https://errors.pydantic.dev/2.14/v/value_error`
    expect(diagnose(tail)).toMatchObject({
      kind: 'bad-settings',
      message: 'vLLM refuses its settings: Sleep mode is not supported on current platform.',
    })
  })

  it('is the last exception that says something, where nobody knew it', () => {
    expect(diagnose(`KeyError: 'layers.0.mlp'${root}`)).toMatchObject({ kind: 'other', message: "KeyError: 'layers.0.mlp'" })
    expect(diagnose('all is well')).toBeUndefined()
  })
})

describe('a log that is no log', () => {
  it.each([
    ['one endless word', 'a'.repeat(1_000_000)],
    ['endless dots', '.'.repeat(1_000_000)],
    ['a bar without an end', 'Downloading '.repeat(80_000)],
    ['many exceptions', 'ValueError: x '.repeat(80_000)],
    ['many lines', 'Capturing CUDA graphs: \n'.repeat(50_000)],
    ['a name without an end', 'Free memory on device '.repeat(50_000)],
  ])('%s takes no time', (_name, text) => {
    const started = performance.now()
    loadingStep(text)
    diagnose(text)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
