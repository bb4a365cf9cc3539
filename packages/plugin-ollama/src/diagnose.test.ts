import { describe, expect, it } from 'vitest'
import { diagnose, loadingStep } from './diagnose.js'

/** Written after Ollama's source at fb307609; not recorded. */
describe('why an Ollama ended or failed', () => {
  it.each([
    ['port-taken', 'Error: listen tcp 127.0.0.1:11434: bind: address already in use'],
    ['bad-settings', 'panic: $HOME is not defined'],
    ['no-space', 'time=2026-11-21T10:00:00Z level=ERROR msg="download failed" error="write /m/blobs/sha256-a: no space left on device"'],
    ['out-of-memory', '{"error":"model requires more system memory (9.1 GiB) than is available (3.0 GiB)"}'],
    ['out-of-memory', 'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9000.00 MiB on device 0: cudaMalloc failed: out of memory'],
    ['model-missing', 'pull model manifest: file does not exist'],
    ['model-missing', '{"error":"model \'x\' not found"}'],
    ['no-network', 'Get "https://registry.ollama.ai/v2/": dial tcp: lookup registry.ollama.ai: no such host'],
    ['model-gated', '{"error":"unauthorized: access denied"}'],
    ['driver', 'CUDA error: CUDA driver version is insufficient for CUDA runtime version'],
    ['bad-settings', 'Error: mkdir /usr/share/ollama/.ollama: permission denied'],
    ['other', 'llama-server process has terminated: signal: killed'],
  ])('%s: %s', (kind, text) => {
    const found = diagnose(`a line before\n${text}\na line behind`)
    expect(found).toMatchObject({ kind })
    expect(found?.hint).not.toBe('')
  })

  it('shows the words of the line that tells, not its frame', () => {
    const line =
      'time=2026-11-21T10:00:00Z level=ERROR source=download.go:1 msg="download failed" error="write \\"/m\\": no space left on device"'
    expect(diagnose(line)?.message).toBe('the disk of its models folder is full: write "/m": no space left on device')
  })

  it('is silent about what it does not know', () => {
    expect(diagnose('time=x level=INFO msg="all is well"')).toBeUndefined()
  })
})

describe('how far a load has come, by the log', () => {
  it.each([
    ['msg="Listening on 127.0.0.1:18400 (version 0.33.0)"', { step: 'waiting for work' }],
    ['msg="Listening on x"\nmsg="starting llama-server" port=1', { step: 'starting the process that holds the model' }],
    ['load_tensors: offloading 32 layers', { step: 'loading weights' }],
    ['msg="loading model"\nlevel=DEBUG msg="model load progress 0.42"', { step: 'loading weights', progress: 0.42 }],
    ['nothing of note', undefined],
  ])('%j', (tail, step) => {
    expect(loadingStep(tail)).toEqual(step)
  })
})
