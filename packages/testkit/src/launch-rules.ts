import assert from 'node:assert/strict'
import type { Gpu, LaunchPlan } from '@plimsoll/core/plugin'
import type { ContractRule } from './contract.js'
import { SECRET, SLOT, type Workbench } from './workbench.js'

const gpu: Gpu = {
  vendor: 'nvidia',
  index: 1,
  uuid: 'GPU-00000000-0000-0000-0000-000000000001',
  pciBusId: '00000000:01:00.0',
  name: 'Contract GPU',
  memTotalMiB: 81_920,
  memFreeMiB: 81_000,
  utilization: 0,
  temperatureC: 30,
  unified: false,
}

/** The launch plan, where the plugin makes one: pure, on loopback, without secrets in sight. */
export function launchRules(bench: Workbench): readonly ContractRule[] {
  const { plugin } = bench
  if (!plugin.canLaunch) return []
  const planOf = async (slot = SLOT): Promise<LaunchPlan> => {
    const plan = (await bench.launched(`http://${slot.host}:${slot.port}`)).launchPlan?.(slot)
    assert.ok(plan, 'canLaunch without a launchPlan')
    return plan
  }
  const rules: ContractRule[] = [
    {
      title: 'its launch plan is pure: the same slot, the same plan',
      async run() {
        const backend = await bench.launched()
        const first = structuredClone(backend.launchPlan?.(SLOT))
        assert.deepEqual(backend.launchPlan?.(SLOT), first)
        assert.deepEqual(await planOf(), first)
        await planOf({ ...SLOT, gpus: [] })
        await planOf({ ...SLOT, gpus: [gpu] })
      },
    },
    {
      title: 'its launch plan is text that a process can be started from, with a patience',
      async run() {
        const { command, args, env, readyWithinMs, secretEnv = [] } = await planOf()
        assert.ok(plugin.needsCommand === true || command.length > 0, 'no command')
        for (const text of [command, ...args, ...Object.values(env)]) assert.match(text, /^[^\0]*$/)
        for (const name of Object.keys(env)) assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/)
        for (const name of secretEnv) assert.ok(name in env, `secretEnv names ${name}, which env has not`)
        assert.ok(readyWithinMs > 0 && Number.isFinite(readyWithinMs), `readyWithinMs ${readyWithinMs}`)
      },
    },
    {
      title: 'no key is on its command line, nor in a variable that would be shown',
      async run() {
        const { command, args, env, secretEnv = [] } = await planOf()
        assert.ok(
          ![command, ...args].some((text) => text.includes(SECRET)),
          'the key stands on the command line: every user of the machine sees it',
        )
        for (const [name, value] of Object.entries(env))
          assert.ok(!value.includes(SECRET) || secretEnv.includes(name), `${name} holds the key and is not in secretEnv`)
      },
    },
    {
      title: 'what it says about memory is pure and finite',
      async run() {
        const backend = await bench.launched()
        for (const ask of [backend.memoryNeed, backend.mainMemoryNeed]) {
          const need = ask?.()
          assert.deepEqual(ask?.(), need)
          if (need === undefined) continue
          assert.ok(need.mib > 0 && Number.isFinite(need.mib), `${need.mib} MiB`)
          assert.match(need.why, /^[^\n]+$/)
        }
      },
    },
    {
      title: 'what it names as fitting is pure, few, and fits',
      async run() {
        const { fitOptions } = await bench.launched()
        for (const freeMiB of [[], [1000], [24_000], [24_000, 20_000, 8000]]) {
          const room = { kind: 'gpus', freeMiB, count: 1 } as const
          const options = fitOptions?.(room) ?? []
          assert.deepEqual(fitOptions?.(room) ?? [], options)
          assert.ok(options.length <= 4, `${options.length} ways are more than four`)
          for (const { mib, count, why } of options) {
            assert.ok(mib > 0 && mib / count <= (freeMiB[count - 1] ?? 0), `${mib} MiB on ${count} do not fit`)
            assert.match(why, /^[^\n]+$/)
          }
        }
      },
    },
  ]
  if (plugin.needsCommand === true) return rules
  return [
    ...rules,
    {
      title: 'it serves on the port it was given, on loopback alone',
      async run() {
        const one = textOf(await planOf())
        const other = textOf(await planOf({ ...SLOT, port: 18_999 }))
        assert.ok(one.includes(String(SLOT.port)), 'the port is not in the plan')
        assert.ok(other.includes('18999') && !other.includes(String(SLOT.port)), 'another port does not change the plan')
        assert.doesNotMatch(one, /(^|[\s=/])(0\.0\.0\.0|\[::\]|::)([:\s]|$)/m, 'it listens for the whole network')
      },
    },
  ]
}

function textOf({ command, args, env }: LaunchPlan): string {
  return [command, ...args, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)].join('\n')
}
