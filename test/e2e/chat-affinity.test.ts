/** Cached-token share of multi-turn chats, the short form; the long one is test/long/chat-affinity.test.ts. */
import { expect, it } from 'vitest'
import { chatsOver } from './chat-affinity.js'

it('chats find most of their prompts in the caches of eight nodes', async () => {
  const { cachedShare, requests } = await chatsOver(undefined, { talks: 16, turns: 6, systems: 4, thinkMs: 100 })
  expect(requests).toBe(96)
  expect(cachedShare).toBeGreaterThanOrEqual(0.7)
})
