import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../base/index.js'
import { isAlive, scratchFolder, until } from '../processes.test.fixture.js'
import { localMachine } from './gpu-machine.js'
import { createGpuWatch } from './gpu-watch.js'

const scratch = scratchFolder()

/** A folder of tools that are shell scripts; `$HERE` is the folder. */
function toolFolder(tools: Readonly<Record<string, string>>): string {
  const folder = scratch()
  for (const [name, script] of Object.entries(tools)) {
    writeFileSync(join(folder, name), `#!/bin/bash\nHERE=${folder}\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

const machineWith = (tools: Readonly<Record<string, string>>, options: { timeoutMs?: number } = {}) => {
  const folder = toolFolder(tools)
  return { folder, machine: localMachine({ env: { PATH: `${folder}:/usr/bin:/bin` }, root: scratch(), folders: [], ...options }) }
}

const ONE_CARD = "echo '0, GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, NVIDIA H100, 00000000:3B:00.0, 81559, 4, 81555, 0, 34, Disabled'"

describe('tools of this machine', () => {
  it('are found by PATH and give what they print', async () => {
    const { machine } = machineWith({ 'nvidia-smi': ONE_CARD })
    expect((await createGpuWatch(machine, systemClock).read(0)).gpus).toMatchObject([{ name: 'NVIDIA H100', memFreeMiB: 81555 }])
  })

  it('are looked for where WSL and containers keep them, too', async () => {
    const folder = toolFolder({ 'nvidia-smi': ONE_CARD })
    const machine = localMachine({ env: { PATH: '/nowhere' }, root: scratch(), folders: [folder] })
    expect((await createGpuWatch(machine, systemClock).read(0)).gpus).toHaveLength(1)
  })

  it('that are not there are no problem', async () => {
    const machine = localMachine({ env: { PATH: scratch() }, root: scratch(), folders: [] })
    expect(await createGpuWatch(machine, systemClock).read(0)).toMatchObject({ gpus: [], problems: [] })
  })

  it('that hang are killed with all that they started', async () => {
    const { machine, folder } = machineWith(
      { 'nvidia-smi': 'sleep 600 & echo $! > $HERE/child; echo $$ > $HERE/pid; wait' },
      { timeoutMs: 300 },
    )
    const { gpus, problems } = await createGpuWatch(machine, systemClock).read(0)
    expect(gpus).toEqual([])
    expect(problems).toMatchObject([{ message: 'nvidia-smi hangs: no answer within 0.3 s' }])
    for (const name of ['pid', 'child']) {
      const pid = Number(readFileSync(join(folder, name), 'utf8'))
      await until(`${name} ended`, () => !isAlive(pid))
    }
  })

  it('that print without end are killed, and little is kept', async () => {
    const { machine } = machineWith({ 'nvidia-smi': 'exec head -c 100000000 /dev/zero' })
    const { problems } = await createGpuWatch(machine, systemClock).read(0)
    expect(problems).toMatchObject([{ message: 'nvidia-smi printed more than 4 MiB' }])
  })

  it('that are no programs are told', async () => {
    const folder = scratch()
    writeFileSync(join(folder, 'nvidia-smi'), '\x7fELF no program')
    chmodSync(join(folder, 'nvidia-smi'), 0o755)
    mkdirSync(join(folder, 'rocm-smi'))
    const machine = localMachine({ env: { PATH: folder }, root: scratch(), folders: [] })
    const { problems } = await createGpuWatch(machine, systemClock).read(0)
    expect(problems.map((problem) => problem.tool)).toContain('nvidia-smi')
  })

  it('never run twice at once, whoever asks', async () => {
    const { machine } = machineWith({
      'nvidia-smi': `mkdir $HERE/lock || echo twice >> $HERE/twice; sleep 0.05; rmdir $HERE/lock; ${ONE_CARD}`,
    })
    const runs = await Promise.all(Array.from({ length: 5 }, () => machine.run('nvidia-smi', [])))
    expect(runs.map((run) => [run.code, run.stderr])).toEqual(Array.from({ length: 5 }, () => [0, '']))
  })

  it('get no secrets, and speak English', async () => {
    const folder = toolFolder({ 'nvidia-smi': 'env' })
    const machine = localMachine({
      env: { PATH: `${folder}:/usr/bin:/bin`, HF_TOKEN: 'hf_secret', LANG: 'de_DE.UTF-8' },
      root: scratch(),
      folders: [],
    })
    const { stdout } = await machine.run('nvidia-smi', [])
    expect(stdout).not.toContain('hf_secret')
    expect(stdout).toContain('LC_ALL=C')
  })
})

describe('the watch', () => {
  it('answers all who ask at once with one question, and again from memory while that is fresh', async () => {
    const { machine, folder } = machineWith({ 'nvidia-smi': `echo x >> $HERE/count; ${ONE_CARD}` })
    const watch = createGpuWatch(machine, systemClock)
    await Promise.all([watch.read(5_000), watch.read(5_000), watch.read(0)])
    await watch.read(60_000)
    expect(readFileSync(join(folder, 'count'), 'utf8')).toBe('x\n')
  })

  it('keeps the last good figures with their age when a tool begins to fail', async () => {
    const { machine } = machineWith({
      'nvidia-smi': `if [ -e $HERE/broken ]; then echo 'Driver/library version mismatch'; exit 18; fi; touch $HERE/broken; ${ONE_CARD}`,
    })
    const watch = createGpuWatch(machine, systemClock)
    const first = await watch.read(0)
    const second = await watch.read(0)
    expect(second.gpus).toEqual(first.gpus)
    expect(second.gpus[0]?.seenAtMs).toBeLessThanOrEqual(second.atMs)
    expect(second.problems).toMatchObject([{ hint: expect.stringContaining('reboot') as string }])
  })
})
