/** GPUs of another machine, through a real sshd on loopback whose logins find a scripted nvidia-smi. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noSshd, startSshd, type TestSshd } from '../../packages/core/src/machines/ssh/sshd.test.fixture.js'
import { House } from './house.js'

const machine = mkdtempSync(join(tmpdir(), 'lb-ssh-gpus-'))
const houses: House[] = []
let sshd: TestSshd

const TOOL = `#!/bin/bash
case "$1" in --query-gpu=*)
  for i in 0 1 2; do echo "$i, GPU-0000000$i-fa20, NVIDIA H100, 00000000:0$i:00.0, 81559, 0, 81559, 4$i, 3$i, Disabled"; done
esac
`

function build(name: string, launch: string): House {
  const house = new House(`name: ${name}
gateway: { listen: 127.0.0.1:0 }
hosts:
  gpu-box: { ssh: "${sshd.user}@127.0.0.1:${sshd.port}", sshConfig: ./ssh_config }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - { name: far, engine: sim, ssh: gpu-box, launch: { ${launch}, args: { profile: instant } } }
`)
  house.write('ssh_config', `Host *\n${sshd.options.map((option) => `  ${option.replace('=', ' ')}`).join('\n')}\n`)
  house.env['LB_GPU_FOLDER'] = join(machine, 'gpus')
  houses.push(house)
  return house
}

/** What engines of a topology over there were shown. */
function shown(name: string): string[] {
  const environs = readdirSync('/proc').flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) ? [readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0')] : []
    } catch {
      return []
    }
  })
  const own = environs.filter((env) => env.some((line) => line.startsWith(`LB_REMOTE_NODE=${name}/`)))
  return own.flatMap((env) => env.filter((line) => line.startsWith('CUDA_VISIBLE_DEVICES='))).toSorted()
}

async function until<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`not in time: ${look.toString()}`)
    await sleep(100)
  }
}

const rows = async (house: House) => (await house.status()).pools.flatMap((pool) => pool.nodes)

describe.skipIf(noSshd !== undefined || process.platform !== 'linux')(
  `GPUs of another machine${noSshd === undefined ? '' : ` (skipped: ${noSshd})`}`,
  { timeout: 90_000 },
  () => {
    let house: House

    beforeAll(async () => {
      mkdirSync(join(machine, 'bin'))
      writeFileSync(join(machine, 'bin', 'nvidia-smi'), TOOL)
      chmodSync(join(machine, 'bin', 'nvidia-smi'), 0o755)
      sshd = await startSshd({ PATH: `${join(machine, 'bin')}:/usr/local/bin:/usr/bin:/bin`, CUDA_VISIBLE_DEVICES: '0,1' })
      house = build('far-gpus', 'replicas: 2, gpus: { perReplica: 1 }')
      await house.up()
      await until(async () => (await rows(house)).every((row) => row.state === 'ready'))
    }, 120_000)

    afterAll(async () => {
      for (const each of houses) {
        await each.lb(['down', '--force'])
        await each.close()
      }
      sshd.close()
      rmSync(machine, { recursive: true, force: true })
    })

    it('gives two replicas one each, among those that the login there may use', async () => {
      expect(shown('far-gpus')).toEqual(['CUDA_VISIBLE_DEVICES=GPU-00000000-fa20', 'CUDA_VISIBLE_DEVICES=GPU-00000001-fa20'])
    })

    it('shows them with the name of their machine, in status and in plan', async () => {
      const { gpus } = await until(async () => {
        const status = (await house.status()) as unknown as { gpus: { host: string | null; nodes: string[]; uuid: string }[] }
        return status.gpus.filter((gpu) => gpu.nodes.length > 0).length === 2 ? status : undefined
      })
      expect(gpus.filter((gpu) => gpu.host === 'gpu-box')).toMatchObject([
        { uuid: 'GPU-00000000-fa20', nodes: ['demo/far-0'] },
        { uuid: 'GPU-00000001-fa20', nodes: ['demo/far-1'] },
      ])
      expect((await house.lb(['plan'])).stdout).toContain('on GPU 0 of gpu-box')
    })

    it('tells a second topology who holds the one that it wants', async () => {
      const other = build('late-gpus', 'gpus: [[1]]')
      const plan = await other.lb(['plan'])
      expect(plan.stdout).toContain('GPU 1 is reserved for far-gpus/demo/far-1')
      await other.lb(['up', '--detach', '--no-wait'])
      const row = await until(async () => (await rows(other)).find((each) => each.state === 'failed'))
      expect(row?.reason).toContain('GPU 1 is reserved for far-gpus/demo/far-1')
      expect(shown('late-gpus')).toEqual([])
    })

    it('keeps them over a kill -9 of lb', async () => {
      const { pid } = await house.status()
      const keeper = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
      for (const each of [keeper, pid]) process.kill(each, 'SIGKILL')
      await house.up()
      await until(async () => (await rows(house)).every((row) => row.state === 'ready'))
      const held = (await rows(house)) as unknown as { gpus: string[]; restarts: number }[]
      expect(held.map((row) => row.gpus)).toEqual([['GPU-00000000-fa20'], ['GPU-00000001-fa20']])
    })
  },
)
