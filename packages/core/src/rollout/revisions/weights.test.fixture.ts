import { FakeClock } from '../../base/index.js'
import { silentLogger, type Backend, type EnginePlugin, type NodeSpec, type PluginHost } from '../../contracts/index.js'
import type { GroupPlan, LaunchSettings, PoolPlan } from '../../topology/index.js'
import { plainGroup, plainPool } from '../../topology/plain-plans.test.fixture.js'
import type { WeightsContext } from './weights.js'

/** An engine of which a test says what it has: the parts of its backend, made for each node. */
export type Script = (spec: NodeSpec<Readonly<Record<string, unknown>>>) => Partial<Backend>

export function groupOf(launch: Partial<LaunchSettings> = {}, more: Partial<GroupPlan> = {}): GroupPlan {
  return plainGroup({ model: 'weights', restarts: { max: 5, withinMs: 1000 }, ...launch }, more)
}

export function attachedGroup(model?: string): GroupPlan {
  return { name: 'far', engine: 'script', weight: 1, attach: { url: 'http://127.0.0.1:9' }, ...(model === undefined ? {} : { model }) }
}

export function poolOf(...groups: readonly GroupPlan[]): PoolPlan {
  return plainPool(groups, { name: 'chat', drainMs: 1000 })
}

const noHost = { log: silentLogger } as PluginHost
const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' } as never

export function contextOf(script: Script): WeightsContext & { readonly clock: FakeClock } {
  const plugin: EnginePlugin = {
    apiVersion: 1,
    engine: 'script',
    settings: {},
    canLaunch: true,
    summary: 'for tests',
    createBackend: (spec) => ({
      launchPlan: ({ port }) => ({
        command: process.execPath,
        args: [`--port=${port}`, `--model=${spec.weights ?? ''}`],
        env: {},
        readyWithinMs: 1000,
      }),
      probe: () => Promise.resolve({ verdict: 'ready' }),
      minProbeIntervalMs: 100,
      dialect,
      ...script(spec as NodeSpec<Readonly<Record<string, unknown>>>),
    }),
  }
  return {
    host: noHost,
    engines: new Map([['script', plugin]]),
    env: { PATH: '/bin', SHELL_SECRET: 'x' },
    clock: new FakeClock(),
    log: silentLogger,
  }
}
