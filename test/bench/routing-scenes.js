/** Workloads at fixed loads, and one run of a strategy through them. */
import { createStrategyRegistry } from '@plimsoll/core/routing'
import { blindSource, openSource, simulate } from '@plimsoll/simulate'
import { polledScores } from './routing-polled.js'

/** @typedef {import('@plimsoll/simulate').SimulationResult} SimulationResult */
/** @typedef {import('@plimsoll/simulate').WorkloadSource} WorkloadSource */
/** @typedef {import('@plimsoll/simulate').SimulationOptions} SimulationOptions */
/** @typedef {import('./routing-study.js').Contender} Contender */
/** @typedef {'mooncake' | 'agent' | 'chat' | 'tenant' | 'bursty' | 'azure'} SceneName */
/** @typedef {NonNullable<SimulationOptions['faults']>} Faults */

/**
 * @typedef {object} Scene
 * @property {WorkloadSource} source
 * @property {number} rate Multiple of the workload's own.
 * @property {number} requests
 * @property {readonly number[]} [slowness] Of each node; default: all 1.
 * @property {Faults} [faults]
 * @property {'none' | 'mirror'} [belief] Where the strategy has no wish of its own.
 */

export const nodes = 8

/**
 * Level 1.0 of each scene, as a multiple of `ratePer8` of its source, and how long it runs. Traces: the study's own rates, the whole trace. Of the generated
 * workloads the study gives only outlines, and of its runs no length, so that its rates do not carry over exactly; their level and length were chosen once, so
 * that LMetric's two ratios to round robin are about the study's. Two figures of a column are set by that; the others are then ours to reproduce. Nothing
 * of a strategy was tuned with it.
 *
 * The Azure trace says nothing about prefixes, so the balancer is told none: no prompt there begins like another anyway.
 *
 * @type {Readonly<Record<SceneName, { level: number, requests: number, belief?: 'none' }>>}
 */
const scenes = {
  mooncake: { level: 1, requests: 12_031 },
  agent: { level: 1.09, requests: 11_400 },
  chat: { level: 1.04, requests: 28_600 },
  tenant: { level: 1, requests: 10_000 },
  bursty: { level: 0.8, requests: 13_200 },
  azure: { level: 1, requests: 19_366, belief: 'none' },
}

/** @type {Map<string, WorkloadSource>} */
const sources = new Map()

/**
 * @param {SceneName} name
 * @param {number} [level]
 * @param {number} [share] Of the scene's requests.
 * @returns {Scene}
 */
export function sceneOf(name, level = 1, share = 1) {
  const source = sources.get(name) ?? openSource(name)
  sources.set(name, source)
  const { level: one, requests, belief = 'mirror' } = scenes[name]
  return { source, rate: source.ratePer8 * one * level, requests: Math.round(share * requests), belief }
}

/**
 * A workload that nobody has seen, by its number.
 *
 * @param {number} number
 * @param {number} requests
 * @returns {Scene}
 */
export function blindScene(number, requests) {
  const source = blindSource(number)
  return { source, rate: source.ratePer8, requests }
}

export const registry = createStrategyRegistry([polledScores])

/** The strategy that a pool gets when its topology names none; before there is one that chooses by itself, the one that it will choose most. */
export const defaultContender = /** @type {Contender} */ ({ name: registry.find('adaptive') === undefined ? 'marginal-cost' : 'adaptive' })

/**
 * Undefined where there is no such strategy (yet).
 *
 * @param {Scene} scene
 * @param {Contender} contender
 * @param {number} seed
 * @returns {SimulationResult | undefined}
 */
export function run(scene, contender, seed) {
  const known = registry.find(contender.name)
  if (known === undefined) return undefined
  const preset = scene.source.profile ?? '8b-h100'
  return simulate({
    nodes: Array.from({ length: nodes }, (_, at) => ({ preset, slowness: scene.slowness?.[at] ?? 1 })),
    workload: scene.source.workload({ seed, requests: scene.requests }),
    rate: scene.rate,
    strategy: { name: contender.name, settings: { ...profileFor(known.settings, preset), ...contender.settings } },
    seed,
    beliefKind: contender.belief ?? scene.belief ?? 'mirror',
    faults: scene.faults ?? [],
    registry,
  })
}

/**
 * A strategy that wants to know the machine is told, as its operator would.
 *
 * @param {{ readonly [key: string]: unknown }} schema
 * @param {string} preset
 */
function profileFor(schema, preset) {
  const properties = schema['properties']
  return typeof properties === 'object' && properties !== null && 'profile' in properties ? { profile: preset } : {}
}
