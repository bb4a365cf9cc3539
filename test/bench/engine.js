#!/usr/bin/env node
/** `npm run bench:engine`: requests that one core can take through the engine model in virtual time, on made-up traffic of three shapes. A few seconds. */
import { pathToFileURL } from 'node:url'
import { createVirtualEngine } from '../../packages/engine-model/dist/index.js'

const SEED = 1

/** @typedef {import('@plimsoll/engine-model').VirtualRequest} VirtualRequest */
/** @typedef {(key: number, random: Dice) => VirtualRequest} Maker */
/** @typedef {{name: string, preset: '8b-a100' | '8b-h100', perSecond: number, requests: number, make: Maker}} Shape */

/** Seeded, so that every run meets the same requests. */
class Dice {
  #state = SEED

  /** From 0 to 1. */
  next() {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return this.#state / 2 ** 32
  }

  /** @param {number} mean */
  exponential(mean) {
    return -Math.log(1 - this.next()) * mean
  }
}

/** @type {readonly Shape[]} */
const shapes = [
  { name: 'azure conv: 1,155 in, 211 out, nothing shared', preset: '8b-a100', perSecond: 6.4, requests: 100_000, make: alone },
  { name: 'agent: 9.1k in, 182 out, 2 to 9 runs', preset: '8b-h100', perSecond: 7, requests: 30_000, make: agent },
  { name: 'mooncake: 12k in, 343 out, runs of 512', preset: '8b-h100', perSecond: 2, requests: 30_000, make: mooncake },
]

/** @type {Maker} */
function alone(key, dice) {
  const tokens = 55 + Math.ceil(dice.exponential(1100))
  return { key, promptRuns: [{ id: key, tokens }], promptTokens: tokens, outputTokens: Math.ceil(dice.exponential(211)) }
}

/** Eight steps of one task, each with all before it, behind one of 40 prompts with tools. @type {Maker} */
function agent(key, dice) {
  const task = Math.floor(key / 8)
  const steps = Array.from({ length: key % 8 }, (_, step) => ({ id: 1_000_000 + task * 8 + step, tokens: 740 }))
  const promptRuns = [{ id: task % 40, tokens: 5000 }, { id: 1000 + task, tokens: 1500 }, ...steps]
  return { key, promptRuns, promptTokens: tokensOf(promptRuns), outputTokens: Math.ceil(dice.exponential(182)), answerId: 2 ** 40 + key }
}

/** Conversations of growing length out of 3,000. @type {Maker} */
function mooncake(key, dice) {
  const talk = Math.floor(dice.next() ** 2 * 3000)
  const length = 2 + Math.min(150, Math.ceil(dice.exponential(21)))
  const promptRuns = Array.from({ length }, (_, at) => ({ id: at < 2 ? at : 1000 * (1 + talk) + at, tokens: 512 }))
  return { key, promptRuns, promptTokens: length * 512, outputTokens: Math.ceil(dice.exponential(343)) }
}

/** @param {readonly {readonly tokens: number}[]} runs */
function tokensOf(runs) {
  return runs.reduce((sum, { tokens }) => sum + tokens, 0)
}

/** @param {Shape} shape */
function measure({ preset, perSecond, requests, make }) {
  const dice = new Dice()
  const engine = createVirtualEngine({ preset })
  const made = Array.from({ length: requests }, (_, key) => make(key, dice))
  const events = { firstToken: () => {}, finished: () => {} }
  let nowMs = 0
  let running = 0
  // CPU time, the collector's included: neighbours on the machine do not count.
  const startedUs = cpuUs()
  for (const request of made) {
    nowMs += dice.exponential(1000 / perSecond)
    engine.advance(nowMs, events)
    engine.submit(request, nowMs)
    running += engine.stats.running
  }
  while (engine.nextMs < Infinity) engine.advance(engine.nextMs, events)
  const seconds = (cpuUs() - startedUs) / 1e6
  const { prefixHitTokens, prefixQueryTokens, preemptions } = engine.stats
  return { perSecond: requests / seconds, running: running / requests, hits: prefixHitTokens / prefixQueryTokens, preemptions }
}

function cpuUs() {
  const { user, system } = process.cpuUsage()
  return user + system
}

export function main() {
  for (const shape of shapes) {
    const { perSecond, running, hits, preemptions } = measure(shape)
    const figures = `${running.toFixed(0)} running, ${(100 * hits).toFixed(0)} % of prompt tokens cached, ${preemptions} preemptions`
    process.stdout.write(`${Math.round(perSecond).toLocaleString('en').padStart(9)} requests/s  ${shape.name} (${figures})\n`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
