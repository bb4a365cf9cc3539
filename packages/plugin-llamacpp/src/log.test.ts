import { describe, expect, it } from 'vitest'
import { diagnose } from './diagnose.js'
import { loadingStep } from './loading-step.js'

describe('why a llama-server ended, from lines of real logs', () => {
  it.each([
    // b10573, measured beside the recorded exchanges.
    [
      'port-taken',
      'port 18081 is taken',
      "0.00.041.957 E srv         start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 18081\n0.00.041.979 I srv    operator(): operator(): cleaning up before exit...\n0.00.042.050 E srv  llama_server: exiting due to HTTP server error\n",
    ],
    [
      'model-missing',
      '/nope.gguf is not there',
      "gguf_init_from_file: failed to open GGUF file '/nope.gguf' (No such file or directory)\n0.00.034.646 E llama_model_load: error loading model: llama_model_loader: failed to load model from /nope.gguf\n0.00.034.650 E srv    load_model: failed to load model, '/nope.gguf'\n0.00.040.622 E srv  llama_server: exiting due to model loading error\n",
    ],
    // b10568, run for this test.
    [
      'model-missing',
      '/nope.gguf is not there',
      "0.00.005.293 E common_fit_params: encountered an error while trying to fit params to free device memory: failed to load model\n0.00.005.300 E gguf_init_from_file: failed to open GGUF file '/nope.gguf' (No such file or directory)\n0.00.014.956 E srv  llama_server: exiting due to model loading error\n",
    ],
    [
      'bad-settings',
      'this build cannot read the model: failed to read key-value pairs',
      'E gguf_init_from_reader: failed to read key-value pairs\nE srv    load_model: failed to load model, m\n',
    ],
    ['bad-settings', 'the model is no GGUF file', "E gguf_init_from_reader: invalid magic characters: 'hell', expected 'GGUF'\n"],
    // llama.cpp issue 20431.
    [
      'out-of-memory',
      'GPU 0 has no room for 144817.04 MiB more',
      'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 144817.04 MiB on device 0: cudaMalloc failed: out of memory\nalloc_tensor_range: failed to allocate CUDA0 buffer of size 151851674624\nllama_model_load: error loading model: unable to allocate CUDA0 buffer\n',
    ],
    // llama.cpp issue 15009.
    [
      'out-of-memory',
      'Vulkan0 has no room for 4537 MiB more',
      'ggml_vulkan: Device memory allocation of size 4757131264 failed.\nggml_vulkan: Requested buffer size exceeds device memory allocation limit: ErrorOutOfDeviceMemory\nggml_gallocr_reserve_n: failed to allocate Vulkan0 buffer of size 4757131264\ngraph_reserve: failed to allocate compute buffers\n',
    ],
    // llama.cpp pull request 7010, llamafile pull request 881.
    [
      'out-of-memory',
      'Metal has no memory left',
      'ggml_metal_synchronize: error: command buffer 0 failed with status 5\nerror: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)\n',
    ],
    [
      'out-of-memory',
      'the GPU has no memory left',
      'CUDA error: out of memory\n  current device: 2, in function alloc at ggml-cuda.cu:446\n',
    ],
    [
      'out-of-memory',
      'main memory is exhausted',
      'terminate called after throwing an instance of std::bad_alloc\n  what():  std::bad_alloc\n',
    ],
    // ollama issues 7666 and llama.cpp issue 17542.
    [
      'driver',
      'the NVIDIA driver is too old for this build, or its parts do not fit together',
      'ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA runtime version\n',
    ],
    ['driver', 'the GPU cannot be used: unknown error', 'ggml_cuda_init: failed to initialize CUDA: unknown error\n'],
    ['driver', 'this build has no code for this GPU', 'CUDA error: no kernel image is available for execution on the device\n'],
    [
      'driver',
      'the library libcudart.so.12 is missing',
      'llama-server: error while loading shared libraries: libcudart.so.12: cannot open shared object file: No such file or directory\n',
    ],
    [
      'driver',
      'this build needs GLIBC_2.38, which the system lacks',
      "llama-server: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by llama-server)\n",
    ],
    // llama-cpp-python issues 755 and 902, xinference issue 1866.
    [
      'bad-settings',
      'the model is no GGUF file',
      "gguf_init_from_file: invalid magic characters 'V'\nllama_model_load: error loading model: llama_model_loader: failed to load model from m\n",
    ],
    [
      'bad-settings',
      'this build does not know the architecture qwen9',
      "llama_model_load: error loading model: error loading model architecture: unknown model architecture: 'qwen9'\n",
    ],
    // llama.cpp issue 6228 of ollama.
    [
      'model-missing',
      'the model file is not whole',
      "llama_model_load: error loading model: tensor 'blk.2.ffn_down.weight' data is not within the file bounds, model is corrupted or incomplete\n",
    ],
    ['bad-settings', 'this build does not know -hf', 'error: invalid argument: -hf\n'],
    ['bad-settings', 'this build does not know --future-token', 'error: invalid argument: --future-token=SECRET\n'],
    ['bad-settings', '-c: stoi', 'error while handling argument "-c": stoi\n\nusage:\n-c,    --ctx-size N\n'],
    [
      'bad-settings',
      'a quantised kvTypeV needs flash attention',
      'llama_init_from_model: V cache quantization requires flash_attn\nsrv    load_model: failed to load model, m\n',
    ],
    [
      'model-gated',
      'the repository on Hugging Face is private or gated',
      'get_repo_commit: error: GET failed (401): Invalid username or password.\n',
    ],
    [
      'model-missing',
      'the repository or the quantisation is not on Hugging Face',
      'get_repo_commit: error: GET failed (404): Repository not found\n',
    ],
    [
      'no-network',
      'the model cannot be fetched: the network does not answer',
      'get_repo_commit: error: HTTPLIB failed: Could not establish connection\n',
    ],
    // b10568, run for this test.
    [
      'bad-settings',
      'this build cannot fetch models: it was made without HTTPS',
      "0.00.006.835 E get_repo_commit: error: HTTPS is not supported. Please rebuild with one of:\nE srv    load_model: failed to load model, ''\n",
    ],
    [
      'bad-settings',
      'the projector (mmproj) does not fit this model',
      "0.00.233.625 E srv    load_model: failed to load multimodal model, '/m/tiny.gguf'\n",
    ],
    ['model-missing', 'the model may not be read', "E gguf_init_from_file: failed to open GGUF file '/m.gguf' (Permission denied)\n"],
    ['no-space', 'the disk is full', 'common_pull_file: error writing to file: No space left on device\n'],
    ['other', 'the model /m.gguf could not be loaded', "0.00.034.650 E srv    load_model: failed to load model, '/m.gguf'\n"],
  ])('%s: %s', (kind, message, log) => {
    const found = diagnose(log)
    expect(found).toMatchObject({ kind, message })
    expect(found?.hint).toMatch(/\w/)
  })

  it('a line about a GPU that it did without is not the reason', () => {
    const log = 'ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected\nerror: invalid argument: --nope\n'
    expect(diagnose(log)).toMatchObject({ kind: 'bad-settings' })
    expect(diagnose('ggml_cuda_host_malloc: failed to allocate 1900.00 MiB of pinned memory: invalid argument\n')).toBeUndefined()
  })

  it('a value on the command line is not repeated: it may be a key', () => {
    expect(JSON.stringify(diagnose('error: invalid argument: --future-token=SECRET\n'))).not.toContain('SECRET')
  })

  it('colours do not hide it', () => {
    expect(diagnose("\u001B[31mE couldn't bind HTTP server socket, hostname: a, port: 5\u001B[0m")).toMatchObject({ kind: 'port-taken' })
  })

  it.each(['', '\n\n', 'srv  update_slots: all slots are idle\n', '\u0000'.repeat(1000)])('nothing is made up from %j', (log) => {
    expect(diagnose(log)).toBeUndefined()
  })
})

describe('how far a llama-server has come, from its log', () => {
  it.each([
    ['srv  llama_server: loading model\n', { step: 'reading the model' }],
    [
      'srv    load_model: loading model\nload_tensors: loading model tensors, this can take a while... (mmap = true)\n',
      { step: 'loading weights' },
    ],
    ['load_tensors:        CUDA0 model buffer size = 48928.09 MiB\n.........................', { step: 'loading weights', progress: 0.25 }],
    [
      '....................\nllama_context: constructing llama_context\nllama_kv_cache: size = 6564.00 MiB\n',
      { step: 'making room for the KV cache' },
    ],
    ['llama_kv_cache: x\ncommon_init_from_params: warming up the model with an empty run - please wait ...\n', { step: 'warming up' }],
    ['Downloading model.gguf ──────── 42%', { step: 'downloading the model', progress: 0.42 }],
    // b10568, run for this test; it says no more than this.
    [
      "0.00.002.670 I srv          init: The UI is disabled\n0.00.004.087 I srv    load_model: loading model '/m/tiny.gguf'\n",
      { step: 'reading the model' },
    ],
    [
      "0.00.012.772 I cmn          init: llama threadpool init, n_threads = 1\n0.00.014.142 I srv    load_model: initializing, n_slots = 2, n_ctx_slot = 1024, kv_unified = 'false'\n",
      { step: 'making its slots' },
    ],
    ['nothing that is known\n', undefined],
    ['', undefined],
  ])('%j', (log, step) => {
    expect(loadingStep(log)).toEqual(step)
  })
})
