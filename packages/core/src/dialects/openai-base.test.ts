import { describe, expect, it } from 'vitest'
import { openaiBase } from './openai-base.js'

const chatUrl = (url: string) => url + openaiBase(url).paths['openai-chat']

describe('the base URL of an OpenAI-compatible server', () => {
  it.each([
    ['http://host:8000', 'http://host:8000/v1/chat/completions'],
    ['http://host:8000/v1', 'http://host:8000/v1/chat/completions'],
    ['https://api.openai.com/v1', 'https://api.openai.com/v1/chat/completions'],
    ['https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1/chat/completions'],
    ['https://api.z.ai/api/paas/v4', 'https://api.z.ai/api/paas/v4/chat/completions'],
    ['https://generativelanguage.googleapis.com/v1beta/openai', 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions'],
    ['http://host/prefix', 'http://host/prefix/v1/chat/completions'],
    ['http://v1/engine', 'http://v1/engine/v1/chat/completions'],
    ['http://host/v1proxy-a', 'http://host/v1proxy-a/v1/chat/completions'],
  ])('%s serves chat at %s', (url, expected) => {
    expect(chatUrl(url)).toBe(expected)
  })

  it.each([
    ['http://host:8000', 'http://host:8000'],
    ['http://host:8000/v1', 'http://host:8000'],
    ['http://host/prefix/v1', 'http://host/prefix'],
    ['http://host/prefix', 'http://host/prefix'],
  ])('%s has its root at %s', (url, root) => {
    expect(openaiBase(url).root).toBe(root)
  })
})
