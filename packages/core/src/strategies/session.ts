import type { StrategyPlugin } from '../contracts/index.js'
import { hashOfText } from './hash-key.js'
import { KeyedStrategy, keyedProperties, type KeyedSettings } from './keyed-strategy.js'
import { settingsSchema } from './settings.js'

/**
 * A conversation always meets the node that holds its cache, with nothing to remember: its name is hashed. A request that names no conversation goes by
 * its client. The bound keeps one busy client from flooding its node.
 */
export const session: StrategyPlugin<KeyedSettings> = {
  name: 'session',
  summary:
    'Each conversation has its node, by a hash of its name (else of the client); a node with too much is passed over. Good where several balancers must agree without talking.',
  settings: settingsSchema(keyedProperties),
  create: (context) => new KeyedStrategy(context, (facts) => hashOfText(facts.session ?? facts.client), 'its conversation'),
}
