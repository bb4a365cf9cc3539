/**
 * Owns the few prompts of each pool that are asked most, and has new nodes compute them. Refuses to know when a node is new.
 * Read first: prompt-shelf.ts, then warm-node.ts.
 */
export type { KeptPrompt } from './hot-prompt.js'
export { HotPrompts } from './hot-prompts.js'
export { warmNode } from './warm-node.js'
