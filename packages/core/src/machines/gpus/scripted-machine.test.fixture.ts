import { readFileSync } from 'node:fs'
import type { GpuMachine, ToolRun } from './gpu-machine.js'

/** What the tools of a made-up machine answer, by command line; the longest beginning that fits counts. A text is printed with exit code 0. */
export interface ScriptedMachine {
  readonly platform?: string
  readonly tools?: Readonly<Record<string, string | Partial<ToolRun>>>
  readonly files?: Readonly<Record<string, string>>
}

/** A machine whose tools are a table. It keeps count of their runs. */
export function scriptedMachine({ platform = 'linux', tools = {}, files = {} }: ScriptedMachine): GpuMachine & { readonly runs: string[] } {
  const runs: string[] = []
  return {
    platform,
    runs,
    async run(tool, args) {
      const line = [tool, ...args].join(' ')
      runs.push(line)
      const known = Object.keys(tools)
        .filter((key) => line.startsWith(key))
        .sort((a, b) => b.length - a.length)[0]
      const answer = known === undefined ? ({ failure: 'missing', detail: 'not installed' } as const) : tools[known]
      return { code: 0, stdout: '', stderr: '', ...(typeof answer === 'string' ? { stdout: answer } : answer) }
    },
    readText: async (path) => files[path],
    async list(path) {
      const below = Object.keys(files).filter((file) => file.startsWith(`${path}/`))
      return [...new Set(below.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))]
    },
  }
}

export function fixture(name: string): string {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')
}

/** A driver that knows only the old columns. */
export function oldDriver(csv: string): Record<string, string | Partial<ToolRun>> {
  return {
    'nvidia-smi --query-gpu=': { code: 2, stdout: 'Field "mig.mode.current" is not a valid field to query.\n' },
    'nvidia-smi --query-gpu=index,uuid,name,pci.bus_id,memory.total,memory.used,memory.free,utilization.gpu,temperature.gpu --': {
      code: 2,
      stdout: 'Field "memory.free" is not a valid field to query.\n',
    },
    'nvidia-smi --query-gpu=index,uuid,name,pci.bus_id,memory.total,memory.used,utilization.gpu,temperature.gpu --': {
      code: 2,
      stdout: 'Field "pci.bus_id" is not a valid field to query.\n',
    },
    'nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu --': csv,
  }
}
