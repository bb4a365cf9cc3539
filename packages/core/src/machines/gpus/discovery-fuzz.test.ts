import { readdirSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { systemClock } from '../../base/index.js'
import { createGpuWatch } from './gpu-watch.js'
import { fixture, scriptedMachine } from './scripted-machine.test.fixture.js'

const samples = readdirSync(new URL('./fixtures', import.meta.url)).map(fixture)
const SCRAPS = [
  '[N/A]',
  'N/A',
  '[Unknown Error]',
  'NaN',
  '-1',
  '1e999',
  '',
  '{',
  ']',
  '"',
  ', ',
  '\n',
  '\0',
  '<gpu>',
  '</gpu>',
  'GPU-',
  '99999999999999999999',
]

/** A tool's output with pieces cut out, doubled, or replaced by what tools write where they know nothing. */
const mangled = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), fc.constantFrom(...SCRAPS)), { maxLength: 8 }),
  )
  .map(([sample, cuts]) =>
    cuts.reduce((text, [at, length, scrap]) => splice(text, Math.floor(at * text.length), { length, scrap }), sample),
  )

function splice(text: string, at: number, { length, scrap }: { length: number; scrap: string }): string {
  return text.slice(0, at) + scrap + text.slice(at + length)
}

const answer = fc.oneof({ weight: 8, arbitrary: mangled }, { weight: 1, arbitrary: fc.string({ maxLength: 400 }) })
const exit = fc.constantFrom(0, 0, 0, 2, 6, 9, 18, 255)

it('no output of any tool breaks the search, and what is not known is never 0', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { minLength: 5, maxLength: 5 }),
      exit,
      fc.boolean(),
      async ([a = '', b = '', c = '', d = '', e = ''], code, mac) => {
        const tools = mac
          ? { system_profiler: { code, stdout: a }, 'sysctl -n hw.memsize': b, 'sysctl -n iogpu': c, ioreg: d, vm_stat: e }
          : {
              'nvidia-smi --query': { code, stdout: a },
              'nvidia-smi -q': b,
              'nvidia-smi -L': c,
              'amd-smi': { code, stdout: d },
              'rocm-smi': e,
            }
        const machine = scriptedMachine({ platform: mac ? 'darwin' : 'linux', tools, files: { '/proc/meminfo': c } })
        const { gpus, problems } = await createGpuWatch(machine, systemClock).read(0)
        for (const gpu of gpus) {
          expect(gpu.memTotalMiB, 'no accelerator has no memory').not.toBe(0)
          for (const value of [gpu.memTotalMiB, gpu.memFreeMiB, gpu.utilization, gpu.temperatureC])
            expect(value === null || (Number.isFinite(value) && value >= 0)).toBe(true)
          expect(gpu.utilization ?? 0).toBeLessThanOrEqual(1)
          expect(gpu.key).not.toBe('')
        }
        for (const problem of problems) expect(problem.hint).not.toBe('')
      },
    ),
    { numRuns: 400 },
  )
})

it.each(['[N/A]', 'N/A', '[Not Supported]', '[Unknown Error]', '[Insufficient Permissions]', '[GPU requires reset]', '[GPU is lost]', ''])(
  'a column that says %s is null',
  async (unknown) => {
    const columns = [unknown, unknown, unknown, unknown, unknown, '[N/A]'].join(', ')
    const tools = { 'nvidia-smi --query': `0, GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, NVIDIA H100, 00000000:3B:00.0, ${columns}\n` }
    const { gpus } = await createGpuWatch(scriptedMachine({ tools }), systemClock).read(0)
    expect(gpus).toMatchObject([{ memTotalMiB: null, memFreeMiB: null, utilization: null, temperatureC: null }])
  },
)
