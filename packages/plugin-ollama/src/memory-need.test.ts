import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryNeed } from './memory-need.js'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lb-ollama-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function pulled(path: string, manifest: string): void {
  mkdirSync(dirname(join(folder, 'manifests', path)), { recursive: true })
  writeFileSync(join(folder, 'manifests', path), manifest)
}

describe('what memory an Ollama will take', () => {
  it('is known from the sizes of what is pulled, projector included', () => {
    const layer = (kind: string, size: number) => ({ mediaType: `application/vnd.ollama.image.${kind}`, size })
    const layers = [layer('model', 2 * 1024 ** 3), layer('projector', 1024 ** 3), layer('license', 9_000)]
    pulled('registry.ollama.ai/library/llava/7b', JSON.stringify({ layers }))
    expect(memoryNeed(folder, ['llava:7b'])).toEqual({
      mib: Math.ceil(3072 * 1.2 + 512),
      why: 'weights 3.0 GiB + 0.6 GiB for 4 × 4096 tokens, guessed from the weights + 0.5 GiB; what does not fit runs on the processor',
    })
  })

  it('is not guessed for what is not there, is torn, or runs elsewhere', () => {
    pulled('registry.ollama.ai/library/torn/latest', '{"layers":[{"mediaT')
    pulled('registry.ollama.ai/library/far/cloud', '{"layers":[null,{"mediaType":"application/vnd.ollama.image.license","size":5}]}')
    for (const model of ['none', 'torn', 'far:cloud']) expect(memoryNeed(folder, [model])).toBeUndefined()
  })
})
