import { createStrategyRegistry, resolveTopology } from '@plimsoll/core'
import { plugin } from './index.js'

/** `launch.args` as reading a topology checks them and fills in their defaults. Throws for what is refused. */
export async function checkedSettings(args: object): Promise<unknown> {
  const topology = await resolveTopology(
    { name: 'test', pools: { chat: { nodes: [{ engine: 'llamacpp', launch: { model: '/m.gguf', args: { ...args } } }] } } },
    { engines: new Map([['llamacpp', plugin]]), strategies: createStrategyRegistry().catalogue, env: {} },
  )
  return topology.pools[0]?.groups[0]?.launch?.settings
}
