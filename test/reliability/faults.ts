/** The faults that every promise is measured under, each as what happens when. */
import type { Fleet, SimProcess } from './engines.js'
import type { Strike } from './load.js'

type Act = (engine: SimProcess) => Promise<void> | void

/** By the name that figures are shown under. A fault stays until it is mended. */
export const faults = {
  'kill -9': { break: (engine) => engine.kill(), mend: (engine) => engine.start() },
  SIGSTOP: { break: (engine) => engine.stop(), mend: (engine) => engine.resume() },
  'stall, /health ok': { break: (engine) => engine.fault('stall'), mend: (engine) => engine.fault(null) },
  RST: { break: (engine) => engine.fault('reset'), mend: (engine) => engine.fault(null) },
  'half response': { break: (engine) => engine.fault('half-response'), mend: (engine) => engine.fault(null) },
  '503 storm': { break: (engine) => engine.fault('storm-503'), mend: (engine) => engine.fault(null) },
} as const satisfies Readonly<Record<string, { readonly break: Act; readonly mend: Act }>>

export type FaultName = keyof typeof faults

export const faultNames = Object.keys(faults) as readonly FaultName[]

/** The fault at one engine, from a moment of the load on. */
export function strike(engine: SimProcess, fault: FaultName, at: Strike['at']): Strike {
  return { at, act: () => faults[fault].break(engine) }
}

/** From one moment to another. Milliseconds of the load. */
export function spell(engine: SimProcess, fault: FaultName, from: number, to: number): Strike[] {
  return [strike(engine, fault, { ms: from }), { at: { ms: to }, act: () => faults[fault].mend(engine) }]
}

/** One after another on different nodes, then two at once, then one that hangs while the load goes on. Takes seven seconds. */
export function mixed(fleet: Fleet): Strike[] {
  return [
    ...spell(fleet.at(0), 'kill -9', 1_000, 2_500),
    ...spell(fleet.at(1), 'RST', 2_000, 3_000),
    ...spell(fleet.at(2), '503 storm', 3_000, 4_000),
    ...spell(fleet.at(3), 'half response', 4_000, 5_000),
    ...spell(fleet.at(0), 'kill -9', 5_500, 6_500),
    ...spell(fleet.at(2), 'RST', 5_500, 6_500),
    strike(fleet.at(1), 'SIGSTOP', { ms: 7_000 }),
  ]
}
