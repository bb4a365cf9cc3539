import { describe, expect, it } from 'vitest'
import { chosenFiles, hubFolder } from './hub-cache.js'

describe('the files of a repository that llama-server takes', () => {
  const names = [
    'README.md',
    'mmproj-Q8_0.gguf',
    'm-Q4_K_M.gguf',
    'm-Q4_K_S.gguf',
    'm-Q8_0-00001-of-00002.gguf',
    'm-Q8_0-00002-of-00002.gguf',
  ]

  it('are those of the quantisation, all parts of them', () => {
    expect(chosenFiles(names, 'q4_k_s')).toEqual(['m-Q4_K_S.gguf'])
    expect(chosenFiles(names, 'Q8_0')).toEqual(['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf'])
    expect(chosenFiles(names, 'Q4_K')).toEqual([])
  })

  it('are Q4_K_M, Q8_0 or the first, where none is named', () => {
    expect(chosenFiles(names, undefined)).toEqual(['m-Q4_K_M.gguf'])
    expect(chosenFiles(['b.gguf', 'a.gguf', 'mmproj-a.gguf'], undefined)).toEqual(['a.gguf'])
    expect(chosenFiles(['README.md'], undefined)).toEqual([])
  })

  it('lie where its own variables say, in its own order', () => {
    expect(hubFolder({ LLAMA_CACHE: '/l', HF_HOME: '/h' })).toBe('/l')
    expect(hubFolder({ HF_HOME: '/h', HOME: '/u' })).toBe('/h/hub')
    expect(hubFolder({ HOME: '/u' })).toBe('/u/.cache/huggingface/hub')
  })
})
