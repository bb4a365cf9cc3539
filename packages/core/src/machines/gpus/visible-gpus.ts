import type { Gpu, GpuVendor } from '../../contracts/index.js'
import type { MachineGpu } from './machine-gpu.js'

/** Variables that hide accelerators from an engine. Core sets what it chose and takes the others away: two of them together can hide everything. */
const VISIBILITY_VARIABLES: ReadonlySet<string> = new Set([
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'GPU_DEVICE_ORDINAL',
])

/** The environment without what its owner had chosen for this process: two filters at once can hide everything. */
export function withoutVisibility(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !VISIBILITY_VARIABLES.has(name)))
}

/** What naming one takes; also what the state file keeps of it. */
export type RuntimeGpu = Gpu & Pick<MachineGpu, 'runtimeIndex'>

/** The environment that shows an engine these accelerators, in this order, and hides the rest. `platform` is the machine's. */
export function visibilityEnv(gpus: readonly RuntimeGpu[], ids: 'index' | 'uuid', platform: string): Record<string, string> {
  // Metal has one device and nothing that hides it.
  if (platform === 'darwin' || gpus[0]?.vendor === 'apple') return {}
  if (gpus.length === 0) return { CUDA_VISIBLE_DEVICES: '-1', HIP_VISIBLE_DEVICES: '-1' }
  if (gpus[0]?.vendor === 'amd') return amdEnv(gpus, ids)
  const order = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }
  // CUDA takes no list that mixes numbers and uuids; a slice has a uuid only.
  const named = gpus.map((gpu) => (ids === 'uuid' || gpu.migProfile !== undefined ? gpu.uuid : null))
  const list = named.every((name) => name !== null) ? named : gpus.map((gpu) => String(gpu.index))
  return { ...order, CUDA_VISIBLE_DEVICES: list.join(',') }
}

/** ROCr takes uuids and numbers, HIP numbers only; one of the two, never both. */
function amdEnv(gpus: readonly RuntimeGpu[], ids: 'index' | 'uuid'): Record<string, string> {
  const numbers = gpus.map((gpu) => String(gpu.runtimeIndex ?? gpu.index)).join(',')
  if (ids === 'index') return { HIP_VISIBLE_DEVICES: numbers }
  const uuids = gpus.map((gpu) => gpu.uuid)
  return { ROCR_VISIBLE_DEVICES: uuids.every((uuid) => uuid !== null) ? uuids.join(',') : numbers }
}

/** The accelerators that this process itself may use: whoever started it may have chosen by the same variables. */
export function allowedGpus(gpus: readonly MachineGpu[], env: NodeJS.ProcessEnv): readonly MachineGpu[] {
  const of = (vendor: GpuVendor): readonly MachineGpu[] => gpus.filter((gpu) => gpu.vendor === vendor)
  const nvidia = listed(of('nvidia'), env['CUDA_VISIBLE_DEVICES'], (gpu) => gpu.index)
  const amd = of('amd').toSorted((a, b) => (a.runtimeIndex ?? a.index) - (b.runtimeIndex ?? b.index))
  const rocr = listed(amd, env['ROCR_VISIBLE_DEVICES'], (gpu) => gpu.runtimeIndex ?? gpu.index)
  // HIP counts what ROCr has left.
  const hip = listed(rocr, env['HIP_VISIBLE_DEVICES'], (gpu) => rocr.indexOf(gpu))
  const allowed = new Set<MachineGpu>([...nvidia, ...hip, ...of('apple')])
  return gpus.filter((gpu) => allowed.has(gpu))
}

/** As CUDA reads its list: numbers, uuids or their unique beginnings; the first entry that fits nothing ends it; empty or -1 is none. */
function listed(gpus: readonly MachineGpu[], value: string | undefined, positionOf: (gpu: MachineGpu) => number): readonly MachineGpu[] {
  if (value === undefined) return gpus
  const found: MachineGpu[] = []
  for (const entry of value.split(',').map((part) => part.trim())) {
    const matches = gpus.filter((gpu) => (/^\d+$/.test(entry) ? positionOf(gpu) === Number(entry) : isNamed(gpu, entry)))
    if (matches.length === 0 || entry === '') break
    found.push(...matches.filter((gpu) => !found.includes(gpu)))
  }
  return found
}

/** Whether a text names this accelerator: its uuid or the start of it, or its place on the bus. */
export function isNamed(gpu: MachineGpu, text: string): boolean {
  const wanted = text.toLowerCase()
  const uuid = gpu.uuid?.toLowerCase()
  return (uuid !== undefined && /^(gpu|mig)-./.test(wanted) && uuid.startsWith(wanted)) || gpu.pciBusId === wanted
}
