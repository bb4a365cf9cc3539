import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../base/index.js'
import { createGpuWatch, type GpuReading } from './gpu-watch.js'
import { fixture, oldDriver, scriptedMachine, type ScriptedMachine } from './scripted-machine.test.fixture.js'

const MEMINFO = 'MemTotal:       125829120 kB\nMemFree:         1048576 kB\nMemAvailable:   104857600 kB\n'
const used = new Set<string>(['README.md'])

function text(name: string): string {
  used.add(name)
  return fixture(name)
}

function readingOf(machine: ScriptedMachine): Promise<GpuReading> {
  return createGpuWatch(scriptedMachine({ ...machine, files: { '/proc/meminfo': MEMINFO, ...machine.files } }), systemClock).read(0)
}

const csv = (name: string) => readingOf({ tools: oldDriver(text(name)) })
const failing = (name: string, code: number) => readingOf({ tools: { 'nvidia-smi': { code, stdout: text(name) } } })

describe('what nvidia-smi prints', () => {
  it('two cards in a server', async () => {
    const { gpus, problems } = await csv('nvidia-two-cards.composed.csv')
    expect(problems).toEqual([])
    expect(gpus).toMatchObject([
      {
        vendor: 'nvidia',
        index: 0,
        uuid: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6',
        name: 'NVIDIA H100 80GB HBM3',
        memTotalMiB: 81559,
        memFreeMiB: 8348,
        utilization: 0.98,
        temperatureC: 61,
        unified: false,
      },
      { index: 1, memFreeMiB: 81555, utilization: 0, temperatureC: 34 },
    ])
  })

  it('a desktop card', async () => {
    expect((await csv('nvidia-desktop.composed.csv')).gpus).toMatchObject([{ name: 'NVIDIA GeForce RTX 4090', memFreeMiB: 23361 }])
  })

  it('a part in main memory, whose memory is that of the machine', async () => {
    expect((await csv('nvidia-gb10.reported.csv')).gpus).toMatchObject([
      { unified: true, memTotalMiB: 122880, memFreeMiB: 102400, utilization: 0, temperatureC: 35 },
    ])
  })

  it('a part in main memory that reports a small wrong number', async () => {
    expect((await csv('nvidia-n1x-small-number.composed.csv')).gpus).toMatchObject([{ unified: true, memTotalMiB: 122880 }])
  })

  it('a card cut into slices stands for its slices, each with its own memory', async () => {
    const { gpus, problems } = await readingOf({
      tools: {
        'nvidia-smi --query-gpu': text('nvidia-mig-card.composed.csv'),
        'nvidia-smi -q -x': text('nvidia-mig.composed.xml'),
        'nvidia-smi -L': text('nvidia-mig.composed.list.txt'),
      },
    })
    expect(problems).toEqual([])
    expect(gpus).toMatchObject([
      {
        index: 0,
        uuid: 'MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f',
        migProfile: '3g.20gb',
        memTotalMiB: 20096,
        memFreeMiB: 20058,
        utilization: null,
      },
      { index: 0, uuid: 'MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb', migProfile: '1g.5gb', memTotalMiB: 4864 },
      { index: 1, uuid: 'GPU-77aa0c11-51a6-4c0e-a7d4-0f25a1c1d001', pciBusId: '0000:0f:00.0', memFreeMiB: 40956 },
    ])
    expect(gpus[2]).not.toHaveProperty('migProfile')
  })

  it('a slice keeps the old form of its name where -L is refused', async () => {
    const { gpus } = await readingOf({
      tools: {
        'nvidia-smi --query-gpu': text('nvidia-mig-card.composed.csv'),
        'nvidia-smi -q -x': text('nvidia-mig.composed.xml'),
        'nvidia-smi -L': { code: 4, stderr: 'Insufficient permissions' },
      },
    })
    expect(gpus[0]?.uuid).toBe('MIG-GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77/2/0')
  })

  it('a container that sees one slice, and no figures: unknown, neither 0 nor main memory', async () => {
    const { gpus } = await readingOf({
      tools: {
        'nvidia-smi --query-gpu': text('nvidia-mig-in-container.composed.csv'),
        'nvidia-smi -q -x': { code: 4, stdout: '' },
        'nvidia-smi -L':
          'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)\n  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)\n',
      },
    })
    expect(gpus).toMatchObject([{ uuid: 'MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f', memTotalMiB: null, memFreeMiB: null, unified: false }])
    expect(gpus).toHaveLength(1)
  })

  it('a card in MIG mode without slices is told as a problem, for nothing can run on it', async () => {
    const { gpus, problems } = await readingOf({ tools: { 'nvidia-smi --query-gpu': text('nvidia-mig-card.composed.csv') } })
    expect(gpus.map((gpu) => gpu.index)).toEqual([1])
    expect(problems).toMatchObject([
      { tool: 'nvidia-smi', message: expect.stringContaining('GPU 0 is in MIG mode and has no slices') as string },
    ])
  })

  it('every word for unknown is unknown, and a lost card is named', async () => {
    const { gpus, problems } = await csv('nvidia-unknowns.composed.csv')
    expect(gpus.map((gpu) => [gpu.memTotalMiB, gpu.utilization, gpu.temperatureC, gpu.broken ?? null, gpu.unified])).toEqual([
      [23028, null, 44, null, false],
      [null, null, null, null, false],
      [null, null, null, 'GPU requires reset', false],
      [null, null, null, 'GPU is lost', false],
    ])
    expect(problems.map((problem) => problem.message)).toEqual(['GPU 2: GPU requires reset', 'GPU 3: GPU is lost'])
  })

  it('line ends of Windows', async () => {
    expect((await csv('nvidia-wsl-line-ends.composed.csv')).gpus).toMatchObject([{ memFreeMiB: 7290, temperatureC: 52 }])
  })

  it('a warning before the table', async () => {
    const { gpus, problems } = await csv('nvidia-warnings.composed.csv')
    expect(gpus).toMatchObject([{ name: 'Tesla T4', memFreeMiB: 15360 }])
    expect(problems[0]?.message).toContain('infoROM is corrupted')
  })

  it('a name with a comma', async () => {
    expect((await csv('nvidia-comma-in-name.composed.csv')).gpus).toMatchObject([{ name: 'NVIDIA Prototype, Rev 2', memTotalMiB: 24564 }])
  })

  it('a driver that refuses a column is asked without it, and not again', async () => {
    text('nvidia-unknown-field.composed.txt')
    const machine = scriptedMachine({ tools: oldDriver(text('nvidia-desktop.composed.csv')) })
    const watch = createGpuWatch(machine, systemClock)
    await watch.read(0)
    const first = machine.runs.filter((line) => line.startsWith('nvidia-smi')).length
    await watch.read(0)
    expect([first, machine.runs.filter((line) => line.startsWith('nvidia-smi')).length]).toEqual([4, 5])
  })

  it('a driver that refuses the query altogether is asked for its XML', async () => {
    const tools = { 'nvidia-smi --query-gpu': { code: 2, stdout: 'invalid option' }, 'nvidia-smi -q -x': text('nvidia-mig.composed.xml') }
    expect((await readingOf({ tools })).gpus.map((gpu) => gpu.memTotalMiB)).toEqual([20096, 4864, 40960])
  })

  it.each([
    ['nvidia-no-driver.composed.txt', 9, 'the NVIDIA driver is not loaded'],
    ['nvidia-mismatch.composed.txt', 18, 'the NVIDIA driver was updated but the old one is still loaded'],
    ['nvidia-lost.composed.txt', 15, 'an NVIDIA GPU has fallen off the bus'],
  ])('%s is explained, with what to do', async (name, code, message) => {
    const { gpus, problems } = await failing(name, code)
    expect(gpus).toEqual([])
    expect(problems).toMatchObject([{ message }])
    expect(problems[0]?.hint).toMatch(/reboot|modprobe/)
  })

  it('no devices are no problem', async () => {
    expect(await failing('nvidia-no-devices.composed.txt', 6)).toMatchObject({ gpus: [], problems: [] })
  })

  it('a Jetson has no nvidia-smi; the kernel names the board', async () => {
    const { gpus } = await readingOf({ files: { '/proc/device-tree/model': 'NVIDIA Jetson AGX Orin Developer Kit\0' } })
    expect(gpus).toMatchObject([{ vendor: 'nvidia', index: 0, uuid: null, unified: true, memTotalMiB: 122880, key: 'nvidia-0' }])
  })
})

describe('what AMD tools print', () => {
  it('rocm-smi: texts, bytes, and an unique id', async () => {
    expect((await readingOf({ tools: { 'rocm-smi': text('rocm-smi-7900xt.reported.json.txt') } })).gpus).toMatchObject([
      {
        vendor: 'amd',
        name: 'Radeon RX 7900 XT',
        uuid: 'GPU-9246a5f0c1d2e3b4',
        pciBusId: '0000:c4:00.0',
        memTotalMiB: 20464,
        memFreeMiB: 20437,
        utilization: 0,
        temperatureC: 31,
      },
    ])
  })

  it('rocm-smi: warnings before the JSON, keys that drift, a screen chip that is no card', async () => {
    const { gpus } = await readingOf({ tools: { 'rocm-smi': text('rocm-smi-drift.composed.json.txt') } })
    expect(gpus).toMatchObject([{ name: 'Instinct MI250X', utilization: null, temperatureC: 41, memTotalMiB: 65520 }])
    expect(gpus).toHaveLength(1)
  })

  it('rocm-smi: an APU works in what the driver lends of main memory', async () => {
    expect((await readingOf({ tools: { 'rocm-smi': text('rocm-smi-apu.composed.json.txt') } })).gpus).toMatchObject([
      { unified: true, uuid: null, memTotalMiB: 65536, memFreeMiB: 64512 },
    ])
  })

  it.each(['amd-smi-metric.reported.rocm6.json.txt', 'amd-smi-metric.reported.rocm7.json.txt'])('amd-smi: %s', async (metric) => {
    const tools = {
      'amd-smi list': text('amd-smi-list.composed.json.txt'),
      'amd-smi static': text('amd-smi-static.composed.json.txt'),
      'amd-smi metric': text(metric),
    }
    expect((await readingOf({ tools })).gpus).toMatchObject([
      {
        name: 'AMD Radeon RX 7800 XT',
        pciBusId: '0000:03:00.0',
        memTotalMiB: 16368,
        memFreeMiB: 1799,
        utilization: 0.42,
        temperatureC: metric.includes('rocm6') ? 38 : 41,
      },
    ])
  })

  it('a user outside the render group is told so', async () => {
    const { problems } = await readingOf({ tools: { 'amd-smi': { code: 1, stderr: text('amd-no-group.composed.txt') } } })
    expect(problems).toMatchObject([{ tool: 'amd-smi', hint: expect.stringContaining('usermod -aG render,video') as string }])
  })

  it('without tools the kernel tells it all; the runtime may count in another order', async () => {
    const { gpus } = await readingOf({ files: { ...card('card1', '0000:c4:00.0'), ...card('card2', '0000:03:00.0'), ...kfd } })
    expect(gpus).toMatchObject([
      { index: 0, pciBusId: '0000:03:00.0', runtimeIndex: 1, memTotalMiB: 16384, memFreeMiB: 15360, utilization: 0.07, temperatureC: 43 },
      { index: 1, pciBusId: '0000:c4:00.0', runtimeIndex: 0, uuid: 'GPU-9246a5f0c1d2e3b4', source: 'sysfs' },
    ])
  })

  it('where the kernel tells the figures, the slow tools are asked once, for names', async () => {
    const machine = scriptedMachine({
      files: card('card0', '0000:c4:00.0'),
      tools: { 'rocm-smi': text('rocm-smi-7900xt.reported.json.txt') },
    })
    const watch = createGpuWatch(machine, systemClock)
    await watch.read(0)
    const { gpus } = await watch.read(0)
    expect(gpus).toMatchObject([{ name: 'Radeon RX 7900 XT', memFreeMiB: 15360 }])
    expect(machine.runs.filter((line) => line.startsWith('rocm-smi'))).toHaveLength(1)
  })
})

describe('what a Mac prints', () => {
  const mac = (displays: string) =>
    readingOf({
      platform: 'darwin',
      tools: {
        system_profiler: text(displays),
        'sysctl -n hw.memsize': '38654705664\n',
        'sysctl -n iogpu.wired_limit_mb': '0\n',
        ioreg: text('apple-ioreg.composed.txt'),
        vm_stat: text('apple-vm-stat.composed.txt'),
      },
    })

  it('Apple silicon works in main memory', async () => {
    expect((await mac('apple-m3-pro.reported.json.txt')).gpus).toMatchObject([
      { vendor: 'apple', name: 'Apple M3 Pro', unified: true, memTotalMiB: 36864, memFreeMiB: 6192, utilization: 0.37 },
    ])
  })

  it('old systems name the first chips otherwise', async () => {
    expect((await mac('apple-m1-old-names.composed.json.txt')).gpus).toMatchObject([{ name: 'Apple M1', unified: true }])
  })

  it('Macs with Intel have cards with memory of their own', async () => {
    expect((await mac('apple-intel-mac.composed.json.txt')).gpus).toMatchObject([
      { name: 'AMD Radeon Pro W5700X', unified: false, memTotalMiB: 16384 },
    ])
  })
})

it('every recorded output is read by a test', () => {
  expect(readdirSync(new URL('./fixtures', import.meta.url)).filter((name) => !used.has(name))).toEqual([])
})

function card(name: string, bus: string): Record<string, string> {
  const folder = `/sys/class/drm/${name}/device`
  return {
    [`${folder}/vendor`]: '0x1002\n',
    [`${folder}/uevent`]: `DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_SLOT_NAME=${bus}\n`,
    [`${folder}/mem_info_vram_total`]: `${16 * 2 ** 30}\n`,
    [`${folder}/mem_info_vram_used`]: `${2 ** 30}\n`,
    [`${folder}/mem_info_gtt_total`]: `${32 * 2 ** 30}\n`,
    [`${folder}/gpu_busy_percent`]: '7\n',
    [`${folder}/hwmon/hwmon3/temp1_input`]: '43000\n',
    ...(bus.includes('c4') ? { [`${folder}/unique_id`]: '9246a5f0c1d2e3b4\n' } : {}),
  }
}

/** Node 0 is the CPU; the card on bus c4 is counted first. */
const kfd = {
  '/sys/class/kfd/kfd/topology/nodes/0/properties': 'cpu_cores_count 16\nsimd_count 0\nlocation_id 0\ndomain 0\n',
  '/sys/class/kfd/kfd/topology/nodes/1/properties': `simd_count 168\nlocation_id ${0xc4 << 8}\ndomain 0\n`,
  '/sys/class/kfd/kfd/topology/nodes/2/properties': `simd_count 120\nlocation_id ${0x03 << 8}\ndomain 0\n`,
}
