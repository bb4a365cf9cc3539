/**
 * Chats through the official `openai` client over eight simulated nodes: at least 0.8 of the prompt tokens are found in caches with the default strategy; round robin's
 * share stands beside it. Nightly: `npm run test:long`.
 */
import { expect, it } from 'vitest'
import { chatsOver, figuresText } from '../e2e/chat-affinity.js'

/** Several dozen talks at once. */
const load = { talks: 48, turns: 10, systems: 12, thinkMs: 400 }

it('multi-turn chats find 0.8 of their prompt tokens cached', async () => {
  const ours = await chatsOver(undefined, load)
  const turns = await chatsOver('round-robin', load)
  process.stdout.write(`${figuresText('default', ours)}\n${figuresText('round-robin', turns)}\n`)
  expect(ours.cachedShare).toBeGreaterThanOrEqual(0.8)
  expect(ours.cachedShare).toBeGreaterThan(turns.cachedShare)
})
