/** GPUs through the real binary. The tool is a script on a PATH of the test's own, so no GPU is needed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, binary, until } from './house.js'

const TOTAL = 81_559
const houses: House[] = []

afterEach(async () => {
  for (const house of houses.splice(0)) {
    await house.close()
  }
})

/** A topology in a house of its own; those with one `machine` stand on one machine: the same tools, the same reservations. */
function build(name: string, gpus: string, machine = newMachine(), replicas = 1): House {
  const house = new House(`version: 1
name: ${name}
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - name: sim
        engine: sim
        launch: { replicas: ${replicas}, gpus: ${gpus}, args: { profile: instant } }
`)
  house.env['PATH'] = `${join(machine, 'bin')}:${process.env['PATH']}`
  house.env['LB_GPU_FOLDER'] = join(machine, 'gpus')
  houses.push(house)
  return house
}

/** A folder with an nvidia-smi that tells of two cards; the free memory of each stands in a file, and `hang` makes it hang. */
function newMachine(): string {
  const machine = join(process.env['TMPDIR'] ?? '/tmp', `lb-gpus-${process.pid}-${performance.now()}`)
  mkdirSync(join(machine, 'bin'), { recursive: true })
  const script = `#!/bin/bash
cd ${machine}
[ -e hang ] && exec sleep 600
case "$1" in --query-gpu=*)
  for i in 0 1; do free=$(cat free-$i); echo "$i, GPU-0000000$i-aaaa, NVIDIA H100, 00000000:0$i:00.0, ${TOTAL}, $((${TOTAL} - free)), $free, 4$i, 3$i, Disabled"; done
esac
`
  writeFileSync(join(machine, 'bin', 'nvidia-smi'), script)
  chmodSync(join(machine, 'bin', 'nvidia-smi'), 0o755)
  setFree(machine, 0, TOTAL)
  setFree(machine, 1, TOTAL)
  machines.push(machine)
  return machine
}

const machines: string[] = []
afterEach(() => {
  for (const machine of machines.splice(0)) rmSync(machine, { recursive: true, force: true })
})

function setFree(machine: string, index: number, mib: number): void {
  const draft = join(machine, `draft-${index}`)
  writeFileSync(draft, String(mib))
  execFileSync('mv', [draft, join(machine, `free-${index}`)])
}

interface GpuDocument {
  readonly gpus: readonly {
    readonly index: number
    readonly nodes: readonly string[]
    readonly heldBy: readonly string[]
    readonly memFreeMiB: number
  }[]
  readonly gpuProblems: readonly { readonly message: string }[]
  readonly pools: readonly {
    readonly nodes: readonly {
      readonly gpus: readonly string[] | null
      readonly state: string
      readonly reason: string | null
      readonly pid: number
    }[]
  }[]
}

async function look(house: House): Promise<GpuDocument> {
  return (await house.status()) as unknown as GpuDocument
}

/** Whose reservations lie in the machine's folder right now; drafts and those that go while they are read are nobody's. */
function holders(machine: string): string[] {
  const folder = join(machine, 'gpus')
  return readdirSync(folder).flatMap((name) => {
    try {
      return [(JSON.parse(readFileSync(join(folder, name), 'utf8')) as { readonly holder: string }).holder]
    } catch {
      return []
    }
  })
}

const nodeOf = (document: GpuDocument) => document.pools[0]?.nodes[0] ?? expect.fail('no node')
const environmentOf = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')

describe('GPUs of launched nodes', () => {
  it('two topologies cannot take one GPU: the second is told who has it, and gets it when that one stops', async () => {
    const machine = newMachine()
    const first = build('first', '[[1]]', machine)
    const second = build('second', '[[1]]', machine)
    await first.up()
    const node = nodeOf(await look(first))
    expect(node.gpus).toEqual(['GPU-00000001-aaaa'])
    expect(environmentOf(node.pid)).toEqual(
      expect.arrayContaining(['CUDA_VISIBLE_DEVICES=GPU-00000001-aaaa', 'CUDA_DEVICE_ORDER=PCI_BUS_ID']),
    )
    const up = await second.lb(['up', '--detach'])
    expect(up.stdout + up.stderr).toContain('GPU 1 is reserved for first/demo/sim')
    expect((await look(second)).gpus.map((gpu) => gpu.heldBy)).toEqual([[], ['first/demo/sim']])
    expect((await second.lb(['plan'])).stdout).toContain('would not start: GPU 1 is reserved for first/demo/sim')
    expect((await first.lb(['gpus'])).stdout).toMatch(/1 +NVIDIA H100.* first\/demo\/sim/)
    await first.lb(['down', '--force'])
    await until(async () => {
      await second.lb(['nodes', 'resume', 'demo/sim'])
      return nodeOf(await look(second)).state === 'ready'
    }, 20_000)
    expect(nodeOf(await look(second)).gpus).toEqual(['GPU-00000001-aaaa'])
  })

  it('of many that start at once, each gets one of its own and the rest are refused', async () => {
    const machine = newMachine()
    const all = Array.from({ length: 4 }, (_, index) => build(`many-${index}`, '{ perReplica: 1 }', machine))
    const ups = await Promise.all(all.map((house) => house.lb(['up', '--detach'])))
    const refused = ups.filter((up) => `${up.stdout}${up.stderr}`.includes('is reserved for many-'))
    expect(refused).toHaveLength(2)
    expect(readdirSync(join(machine, 'gpus')).filter((name) => name.endsWith('.json'))).toHaveLength(2)
  })

  it('a kill -9 of lb keeps the reservation with the engine, and the next lb up takes both over', async () => {
    const machine = newMachine()
    const house = build('killed', '[[0]]', machine)
    const rival = build('rival', '[[0]]', machine)
    await house.up()
    const { pid } = nodeOf(await look(house))
    for (const each of house
      .survivors()
      .filter((survivor) => survivor !== pid && !environmentOf(survivor).some((line) => line.startsWith('LB_NODE='))))
      process.kill(each, 'SIGKILL')
    const up = await rival.lb(['up', '--detach'])
    expect(up.stdout + up.stderr).toContain('GPU 0 is reserved for killed/demo/sim')
    await house.up()
    expect(nodeOf(await look(house))).toMatchObject({ pid, gpus: ['GPU-00000000-aaaa'], adopted: true })
    expect(holders(machine)).toContain('killed/demo/sim')
    await house.lb(['down', '--force'])
    // The rival tries again by itself, and may have the GPU by now.
    expect(holders(machine)).not.toContain('killed/demo/sim')
  })

  it('the next engine on a GPU waits until the memory of the one before is free, and says so', async () => {
    const machine = newMachine()
    const house = build('slow', '[[0]]', machine)
    await house.up()
    const { pid } = nodeOf(await look(house))
    setFree(machine, 0, 10_000)
    process.kill(pid, 'SIGKILL')
    await until(
      async () =>
        nodeOf(await look(house)).reason?.includes('waiting for GPU memory of the engine before: GPU 0: 9.8 GiB of 76 GiB free') === true,
      15_000,
    )
    expect(nodeOf(await look(house)).state).toBe('starting')
    setFree(machine, 0, TOTAL)
    await until(async () => nodeOf(await look(house)).state === 'ready', 15_000)
  })

  it('a driver that hangs delays nothing for long and is named', async () => {
    const machine = newMachine()
    writeFileSync(join(machine, 'hang'), '')
    const house = build('stuck', 'none', machine)
    await house.up()
    expect(nodeOf(await look(house)).gpus).toEqual([])
    const startedAt = performance.now()
    const gpus = await house.lb(['gpus'])
    expect(performance.now() - startedAt).toBeLessThan(9_000)
    expect(gpus.stdout).toContain('nvidia-smi hangs')
    await until(async () => (await look(house)).gpuProblems[0]?.message.includes('hangs') === true, 15_000)
  })

  it.skipIf(spawnSync('tmux', ['-V']).status !== 0)('stand in the live view, in a real terminal (needs tmux)', async () => {
    const house = build('shown', '{ perReplica: 1 }', newMachine(), 2)
    await house.up()
    const socket = `lb-gpus-${process.pid}`
    const env = Object.entries({ ...house.env, TERM: 'xterm-256color' }).flatMap(([name, value]) =>
      value === undefined ? [] : ['-e', `${name}=${value}`],
    )
    execFileSync('tmux', [
      '-L',
      socket,
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      '100',
      '-y',
      '30',
      ...env,
      '-c',
      house.cwd,
      `${binary} top`,
    ])
    const pane = (): string => execFileSync('tmux', ['-L', socket, 'capture-pane', '-p']).toString('utf8')
    try {
      await until(() => / GPUs/.test(pane()), 15_000)
      expect(pane()).toMatch(/sim-1 +● ready +1 {2}41 %/)
      expect(pane()).toMatch(/ 0 +NVIDIA H100 +█+░+ +40 % +0 of 80 GiB used +30 °C +demo\/sim-0/)
    } finally {
      spawnSync('tmux', ['-L', socket, 'kill-server'])
    }
  })

  it('a topology that chooses none makes no folder of reservations', async () => {
    const machine = newMachine()
    const house = build('plain', 'none', machine)
    house.write('lb.yaml', readFileSync(join(house.cwd, 'lb.yaml'), 'utf8').replace(' gpus: none,', ''))
    await house.up()
    expect(nodeOf(await look(house)).gpus).toBeNull()
    expect(existsSync(join(machine, 'gpus'))).toBe(false)
  })
})
