import type { StrategyPlugin } from '../contracts/index.js'
import { KeyedStrategy, keyedProperties, type KeyedSettings } from './keyed-strategy.js'
import { prefixKey } from './prefix-key.js'
import { numberSetting, settingsSchema } from './settings.js'

interface PrefixHashSettings extends KeyedSettings {
  readonly prefixTokens?: number
}

const defaultPrefixTokens = 256

/**
 * Prompts that begin alike meet the same node, with nothing to remember: their first tokens are hashed. A prefix that everybody has, as one system prompt
 * for all, makes all prompts one key; the bound then spreads them, node after node.
 */
export const prefixHash: StrategyPlugin<PrefixHashSettings> = {
  name: 'prefix-hash',
  summary:
    'Prompts that begin alike go to the same node, by a hash of their first 256 tokens; a node with too much is passed over. Good for many different system prompts.',
  settings: settingsSchema({
    prefixTokens: numberSetting({ from: 1, to: 1e6, or: defaultPrefixTokens }, 'So many tokens at the beginning of a prompt are its key.'),
    ...keyedProperties,
  }),
  create(context) {
    const tokens = context.settings.prefixTokens ?? defaultPrefixTokens
    return new KeyedStrategy(context, (facts) => prefixKey(facts, tokens), 'the beginning of its prompt')
  },
}
