import type { ToolRun } from './gpu-machine.js'
import type { GpuProblem } from './machine-gpu.js'

interface KnownFailure {
  readonly code?: number
  readonly text: RegExp
  readonly message: string
  readonly hint: string
}

/** Exit codes and words of nvidia-smi(1), and what AMD's tools print; the text counts before the code, which tools share. */
const KNOWN: readonly KnownFailure[] = [
  {
    code: 9,
    text: /couldn'?t communicate with the NVIDIA driver/i,
    message: 'the NVIDIA driver is not loaded',
    hint: 'load it (modprobe nvidia), or install the one that fits the running kernel; dmesg tells why it failed',
  },
  {
    code: 18,
    text: /driver\/library version mismatch/i,
    message: 'the NVIDIA driver was updated but the old one is still loaded',
    hint: 'reboot, or unload and load the nvidia kernel modules',
  },
  {
    code: 12,
    text: /NVML.*(library|shared).*(not found|couldn'?t be found)|couldn'?t find libnvidia-ml/i,
    message: 'the library of the NVIDIA driver (libnvidia-ml) is not found',
    hint: "install the driver's user-space part; in a container, start it with its GPU option",
  },
  {
    code: 15,
    text: /GPU is lost|fallen off the bus/i,
    message: 'an NVIDIA GPU has fallen off the bus',
    hint: 'reboot the machine; if it comes back, look at power and cooling (dmesg: Xid 79)',
  },
  {
    code: 4,
    text: /insufficient permissions?/i,
    message: 'this user may not ask the driver',
    hint: 'look at the rights of /dev/nvidia*, or ask whoever runs the container',
  },
  {
    code: 14,
    text: /infoROM is corrupted/i,
    message: 'the infoROM of a GPU is corrupted',
    hint: 'the GPU may still work; nvidia-smi -q tells which one',
  },
  { code: 8, text: /power cables?/i, message: "a GPU's power cables are not attached", hint: 'attach them and reboot' },
  {
    code: 10,
    text: /interrupt/i,
    message: 'the kernel found an interrupt problem with a GPU',
    hint: 'dmesg tells more; often a BIOS or PCI setting',
  },
  {
    text: /(render|video)[^\n]*group|\/dev\/kfd|\/dev\/dri[^\n]*permission/i,
    message: 'this user may not use the AMD driver',
    hint: 'sudo usermod -aG render,video $USER, then log in again',
  },
  {
    text: /amdgpu not found in modules|driver not (initialized|loaded)|AMDSMI_STATUS_(NOT_INIT|DRIVER_NOT_LOADED|NO_DRV)/i,
    message: 'the AMD driver (amdgpu) is not loaded',
    hint: 'load it (modprobe amdgpu), or install ROCm for the running kernel',
  },
]

/** True for a tool that works and says that there is nothing: exit code 6 of nvidia-smi, and its words. */
export function foundNothing(run: ToolRun): boolean {
  return (
    run.failure === undefined && (/no devices were found/i.test(run.stdout + run.stderr) || (run.code === 6 && run.stdout.trim() === ''))
  )
}

/** Why a run gave no usable answer, in words that help; undefined where the tool is not installed, which is no fault. */
export function toolProblem(tool: string, run: ToolRun): GpuProblem | undefined {
  if (run.failure === 'missing') return undefined
  if (run.failure === 'hung')
    return {
      tool,
      message: `${tool} hangs: ${run.detail ?? 'no answer'}`,
      hint: 'the driver is stuck; dmesg tells why, and often only a reboot helps',
    }
  if (run.failure === 'too-long')
    return {
      tool,
      message: `${tool} ${run.detail ?? 'printed too much'}`,
      hint: `is it the real ${tool}? look at it with: command -v ${tool}`,
    }
  if (run.failure === 'unstartable')
    return { tool, message: `${tool} cannot be started: ${run.detail ?? ''}`, hint: `try it by hand: ${tool}` }
  const text = `${run.stderr}\n${run.stdout}`
  const known = KNOWN.find((each) => each.text.test(text)) ?? KNOWN.find((each) => each.code !== undefined && each.code === run.code)
  if (known !== undefined && (tool === 'nvidia-smi' || known.code === undefined)) return { tool, message: known.message, hint: known.hint }
  const said =
    text
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line !== '') ?? 'nothing'
  return { tool, message: `${tool} ended with ${run.code ?? 'a signal'} and said: ${said.slice(0, 200)}`, hint: `try it by hand: ${tool}` }
}
