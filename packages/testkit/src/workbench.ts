import { createStrategyRegistry, resolveTopology } from '@plimsoll/core'
import type { Backend, EnginePlugin, LaunchSlot, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import type { ContractSubject } from './contract-subject.js'
import { fetchingHost } from './plugin-hosts.js'

/** A key that must never be seen on a command line. */
export const SECRET = 'contract-key-5d41402abc'

export const SLOT: LaunchSlot = { host: '127.0.0.1', port: 18_457, replica: 0, extraPorts: [18_458, 18_459, 18_460] }

/** What rules work with: the plugin, what its author scripted, and backends made as core makes them. */
export interface Workbench {
  readonly plugin: EnginePlugin<never>
  readonly subject: ContractSubject
  /** Checks `launch.args` and fills in its defaults, as reading a topology does. */
  settingsOf(args: unknown): Promise<unknown>
  specOf(url: string, settings: unknown): NodeSpec<never>
  /** The backend of a launched node. */
  launched(url?: string, host?: PluginHost): Promise<Backend>
  /** The backend of a server that somebody else runs. */
  attached(url: string, host?: PluginHost): Backend
}

export function createWorkbench<Settings>(given: EnginePlugin<Settings>, subject: ContractSubject): Workbench {
  const plugin = given as unknown as EnginePlugin<never>
  const settingsOf = (args: unknown) => resolvedSettings(plugin, subject, args)
  const specOf = (url: string, settings: unknown): NodeSpec<never> => ({
    id: 'contract/node-0',
    url,
    models: subject.models ?? ['model-a'],
    settings: settings as never,
    ...(subject.weights === undefined ? {} : { weights: subject.weights }),
    ...subject.spec,
  })
  return {
    plugin,
    subject,
    settingsOf,
    specOf,
    async launched(url = `http://${SLOT.host}:${SLOT.port}`, host = fetchingHost) {
      return plugin.createBackend({ ...specOf(url, await settingsOf(subject.args ?? {})), apiKey: SECRET }, host)
    },
    attached: (url, host = fetchingHost) => {
      const { weights: _weights, ...spec } = specOf(url, {})
      return plugin.createBackend(spec, host)
    },
  }
}

async function resolvedSettings(plugin: EnginePlugin<never>, subject: ContractSubject, args: unknown): Promise<unknown> {
  const launch = {
    args: args as Record<string, unknown>,
    ...(subject.weights === undefined ? {} : { model: subject.weights }),
    ...(plugin.needsCommand === true ? { command: ['true'] } : {}),
  }
  const models = [...(subject.models ?? ['model-a'])]
  const topology = await resolveTopology(
    { name: 'contract', pools: { contract: { models, nodes: [{ name: 'node', engine: plugin.engine, launch }] } } },
    { engines: new Map([[plugin.engine, plugin]]), strategies: createStrategyRegistry().catalogue, env: {} },
  )
  return topology.pools[0]?.groups[0]?.launch?.settings
}
