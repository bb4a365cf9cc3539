import type { GpuMachine } from './gpu-machine.js'

const QUERY = ['--query-gpu=uuid,ecc.errors.uncorrected.volatile.total', '--format=csv,noheader,nounits']

/** Asks for errors that a GPU's memory could not correct since its driver was loaded, by the GPU's uuid. What has no such memory is left out. */
export function createEccQuestion(machine: Pick<GpuMachine, 'run'>): () => Promise<ReadonlyMap<string, number>> {
  let isMissing = false
  return async () => {
    if (isMissing) return new Map()
    const run = await machine.run('nvidia-smi', QUERY)
    isMissing = run.failure === 'missing'
    return parseEccErrors(run.stdout)
  }
}

/** Lines of `GPU-8932f937-..., 0`; all others say nothing. */
export function parseEccErrors(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) {
    const found = /^\s*(GPU-[\w-]+)\s*,\s*(\d{1,15})\s*$/.exec(line)
    if (found !== null) counts.set(found[1] ?? '', Number(found[2]))
  }
  return counts
}
