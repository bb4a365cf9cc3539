import { describe, expect, it } from 'vitest'
import type { Backend, Dialect } from '../contracts/index.js'
import type { GroupPlan, LaunchSettings } from '../topology/index.js'
import { planLaunch } from './launch-command.js'

const dialect: Dialect = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }
const backend: Backend = {
  launchPlan: ({ port }) => ({ command: 'vllm', args: ['serve', 'M', '--port', String(port)], env: { A: '1' }, readyWithinMs: 60_000 }),
  probe: () => Promise.resolve({ verdict: 'ready' }),
  minProbeIntervalMs: 0,
  dialect,
}
const slot = { host: '127.0.0.1', port: 18_400, replica: 1, extraPorts: [] } as const
const planned = (launch: Partial<LaunchSettings>) => {
  const whole = { replicas: 2, settings: {}, env: {}, restarts: { max: 5, withinMs: 600_000 }, ...launch }
  const group: GroupPlan = { name: 'gpu', engine: 'vllm', weight: 1, launch: whole }
  return planLaunch(backend, group, slot, { PATH: '/usr/bin' })
}

describe('what is really started', () => {
  it("is the plugin's plan where the topology says nothing", () => {
    expect(planned({})).toEqual({ command: 'vllm', args: ['serve', 'M', '--port', '18400'], env: { A: '1' }, readyWithinMs: 60_000 })
    expect(planned({ readyWithinMs: 5 }).readyWithinMs).toBe(5)
  })

  it('puts a command in the place of the engine, before its arguments', () => {
    const { command, args } = planned({ command: ['uv', 'run', 'vllm'] })
    expect([command, ...args]).toEqual(['uv', 'run', 'vllm', 'serve', 'M', '--port', '18400'])
  })

  it('takes a command that names the port as the whole command line', () => {
    const { command, args } = planned({
      model: 'org/m',
      command: ['podman', 'run', '-p${PORT}:8000', '${MODEL}', '${HOST}/${REPLICA}', '${X}'],
    })
    expect([command, ...args]).toEqual(['podman', 'run', '-p18400:8000', 'org/m', '127.0.0.1/1', '${X}'])
  })

  it('puts the commands of a virtual environment first', () => {
    expect(planned({ venv: '/opt/vllm' }).env).toEqual({ A: '1', VIRTUAL_ENV: '/opt/vllm', PATH: '/opt/vllm/bin:/usr/bin' })
  })
})
