import { describe, expect, it } from 'vitest'
import { knownEnd } from './known-ends.js'

const FAILED = { code: 1, signal: null }

describe('what programs say when they end', () => {
  it.each([
    ['port-taken', 'Error: listen EADDRINUSE: address already in use 127.0.0.1:18400'],
    ['port-taken', "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 18400)"],
    ['out-of-memory', 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'],
    ['out-of-memory', "terminate called after throwing an instance of 'std::bad_alloc'"],
    ['out-of-memory', 'OSError: [Errno 12] Cannot allocate memory'],
    ['no-space', 'OSError: [Errno 28] No space left on device'],
    ['model-gated', 'OSError: You are trying to access a gated repo.'],
    ['model-missing', '404 Client Error: Repository Not Found for url'],
    ['no-network', 'socket.gaierror: [Errno -3] Temporary failure in name resolution'],
    ['driver', 'RuntimeError: The NVIDIA driver on your system is too old (found version 11040).'],
    ['driver', 'RuntimeError: No CUDA GPUs: Found no NVIDIA driver on your system.'],
    ['bad-settings', 'server: error while loading shared libraries: libcudart.so.12: cannot open shared object file'],
    ['bad-settings', "ModuleNotFoundError: No module named 'uvloop'"],
    ['bad-settings', 'sh: 1: ./server: Exec format error'],
  ])('means %s: %s', (kind, line) => {
    const found = knownEnd(`starting\n${line}\nbye\n`, FAILED)
    expect(found?.kind).toBe(kind)
    expect(found?.hint).not.toBe('')
  })

  it('names the library or the module that is missing', () => {
    expect(knownEnd('x: error while loading shared libraries: libgomp.so.1: cannot open', FAILED)?.message).toBe(
      'the library libgomp.so.1 is missing',
    )
    expect(knownEnd("ModuleNotFoundError: No module named 'vroom'", FAILED)?.message).toBe('the Python module vroom is missing')
  })

  it('is told by the exit code of a shell, where the log says nothing', () => {
    expect(knownEnd('', { code: 127, signal: null })?.message).toBe('a command was not found')
    expect(knownEnd('', { code: 126, signal: null })?.message).toBe('a command may not be executed')
    expect(knownEnd('', { code: null, signal: 'SIGILL' })?.message).toContain('processor')
  })

  it('is unknown where nothing fits, and what was said long before does not count', () => {
    expect(knownEnd('all is well\n', FAILED)).toBeUndefined()
    expect(knownEnd(`EADDRINUSE\n${'fine\n'.repeat(100)}`, FAILED)).toBeUndefined()
  })
})
