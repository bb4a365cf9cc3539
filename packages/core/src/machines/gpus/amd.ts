import { parseAmdSmi } from './amd-smi.js'
import { readAmdSysfs } from './amd-sysfs.js'
import type { GpuMachine } from './gpu-machine.js'
import { machineGpu, type GpuFacts, type GpuProblem, type VendorFindings } from './machine-gpu.js'
import { parseRocmSmi, ROCM_SMI_ARGS, SMALLEST_CARD_MIB } from './rocm-smi.js'
import { toolProblem } from './tool-problem.js'

interface ToolFindings {
  readonly facts: readonly GpuFacts[]
  readonly problems: readonly GpuProblem[]
}

/** Finds AMD's accelerators. The tools are slow Python programs: where the kernel tells the figures, they are asked once, for names. */
export function createAmdFinder(machine: GpuMachine): () => Promise<VendorFindings> {
  let names: ToolFindings | undefined
  return async () => {
    const kernel = await readAmdSysfs(machine)
    const fromTools = kernel.length > 0 && names !== undefined ? names : await askTools(machine)
    if (kernel.length > 0 && fromTools.problems.length === 0) names = fromTools
    const facts = kernel.length > 0 ? kernel.map((card) => withTool(card, fromTools.facts)) : fromTools.facts
    const gpus = facts.filter(isWorthUsing).map(machineGpu)
    // Without its tools an AMD card still works as long as the kernel shows it.
    return { vendor: 'amd', gpus, problems: fromTools.problems, failed: gpus.length === 0 && fromTools.problems.length > 0 }
  }
}

/** amd-smi, then the deprecated rocm-smi. */
async function askTools(machine: GpuMachine): Promise<ToolFindings> {
  const list = await machine.run('amd-smi', ['list', '--json'])
  if (list.failure === undefined) {
    const fixed = await machine.run('amd-smi', ['static', '--asic', '--vram', '--json'])
    const metric = await machine.run('amd-smi', ['metric', '--usage', '--mem-usage', '--temperature', '--json'])
    const facts = parseAmdSmi({ list: list.stdout, static: fixed.stdout, metric: metric.stdout })
    if (facts.length > 0) return { facts, problems: [] }
  }
  const old = await machine.run('rocm-smi', ROCM_SMI_ARGS)
  const facts = old.failure === undefined ? parseRocmSmi(old.stdout) : []
  if (facts.length > 0) return { facts, problems: [] }
  const runs = [['amd-smi', list] as const, ['rocm-smi', old] as const]
  const told = runs.filter(([, run]) => run.failure !== undefined || run.code !== 0)
  return {
    facts: [],
    problems: told.flatMap(([tool, run]) => toolProblem(tool, run) ?? []),
  }
}

/** The kernel's figures with the tool's name for the same place on the bus. */
function withTool(card: GpuFacts, tools: readonly GpuFacts[]): GpuFacts {
  const same = tools.find((each) => typeof each.pciBusId === 'string' && each.pciBusId === card.pciBusId)
  if (same === undefined) return card
  const name = same.name ?? card.name
  return { ...card, index: same.index, uuid: card.uuid ?? same.uuid ?? null, ...(name === undefined ? {} : { name }) }
}

/** A screen's carve-out with nothing behind it is no accelerator. */
function isWorthUsing(card: GpuFacts): boolean {
  const total = card.memTotalMiB ?? null
  return card.unified === true || total === null || total >= SMALLEST_CARD_MIB
}
