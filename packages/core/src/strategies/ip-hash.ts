import type { StrategyPlugin } from '../contracts/index.js'
import { hashOfText } from './hash-key.js'
import { KeyedStrategy, keyedProperties, type KeyedSettings } from './keyed-strategy.js'
import { settingsSchema } from './settings.js'

/** Each address has its node, whatever it says about itself. Behind a proxy all clients share one address, and so one node. */
export const ipHash: StrategyPlugin<KeyedSettings> = {
  name: 'ip-hash',
  summary:
    "Each client's address has its node, by a hash of it; a node with too much is passed over. For clients that name no conversation and keep their address.",
  settings: settingsSchema(keyedProperties),
  create: (context) => new KeyedStrategy(context, (facts) => hashOfText(facts.address ?? facts.client), 'its address'),
}
