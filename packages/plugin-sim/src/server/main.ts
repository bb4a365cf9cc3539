import { parseArgs } from 'node:util'
import { enginePresets, type PresetName } from '@plimsoll/engine-model'
import type { SimSettings } from '../settings.js'
import { faultForms, parseFault } from './fault.js'
import { startSimServer, type SimServerOptions } from './sim-server.js'

/** What exit codes mean: 98 = the port is taken (EADDRINUSE of Linux), 2 = the arguments are wrong, 1 = anything else. */
const exitCodes = { portTaken: 98, badArguments: 2, failed: 1 } as const

/** The process `lb-sim-engine`. Exits at once on SIGTERM and SIGINT: a simulated engine has nothing to save. */
export function main(args: readonly string[]): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
  let options: SimServerOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    return fail(exitCodes.badArguments, error)
  }
  startSimServer(options).then(
    ({ url }) =>
      void process.stdout.write(`lb-sim-engine: ${options.models.join(', ')} (${options.settings?.profile ?? 'instant'}) on ${url}\n`),
    (error: unknown) => fail(isPortTaken(error) ? exitCodes.portTaken : exitCodes.failed, error),
  )
}

function parseOptions(args: readonly string[]): SimServerOptions {
  const text = { type: 'string' } as const
  const flags = { port: text, model: { ...text, multiple: true as const }, profile: text, fault: text, 'memory-folder': text }
  const counts = {
    seed: text,
    'load-ms': text,
    'context-tokens': text,
    slowness: text,
    'max-num-seqs': text,
    'max-num-batched-tokens': text,
    'kv-tokens': text,
    'wake-ms': text,
    'memory-mib': text,
  }
  const { values } = parseArgs({ args: [...args], options: { ...flags, ...counts }, strict: true })
  const settings = {
    profile: values.profile === undefined ? undefined : profileOf(values.profile),
    fault: values.fault === undefined ? undefined : checkedFault(values.fault),
    seed: numberOf('seed', values.seed),
    loadMs: numberOf('load-ms', values['load-ms']),
    contextTokens: numberOf('context-tokens', values['context-tokens']),
    slowness: numberOf('slowness', values.slowness),
    maxNumSeqs: numberOf('max-num-seqs', values['max-num-seqs']),
    maxNumBatchedTokens: numberOf('max-num-batched-tokens', values['max-num-batched-tokens']),
    kvTokens: numberOf('kv-tokens', values['kv-tokens']),
    wakeMs: numberOf('wake-ms', values['wake-ms']),
    memoryFolder: values['memory-folder'],
    memoryMib: numberOf('memory-mib', values['memory-mib']),
  }
  const given: Partial<SimSettings> = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  return { port: numberOf('port', values.port) ?? 0, models: values.model ?? ['sim-8b'], settings: given }
}

function profileOf(name: string): PresetName {
  if (Object.hasOwn(enginePresets, name)) return name as PresetName
  throw new RangeError(`--profile ${name} is unknown; known: ${Object.keys(enginePresets).join(', ')}`)
}

function checkedFault(text: string): string {
  if (parseFault(text) !== undefined) return text
  throw new RangeError(`unknown fault ${JSON.stringify(text)}; known: ${faultForms}`)
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0)
    throw new RangeError(`--${flag} must be a number, 0 or more, not ${JSON.stringify(text)}`)
  return value
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function fail(code: number, error: unknown): void {
  process.stderr.write(`lb-sim-engine: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(code)
}
