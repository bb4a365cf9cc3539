import { settleOptions, type EngineModelOptions } from '../engine-options.js'
import { stepMs, type StepWork } from '../step-time.js'
import type { VirtualEngine, VirtualEngineEvents } from '../virtual-contract.js'
import { BlockNames } from './block-names.test.fixture.js'
import { Scheduler } from './scheduler.test.fixture.js'
import { Sequence } from './sequence.test.fixture.js'

/**
 * The engine as it is easiest to believe: every step one by one, every sequence and every block for itself. What the fast one must agree with.
 * Of an answer nothing can be hit before it has left, as in the fast one.
 */
export function createReferenceEngine(options: EngineModelOptions): VirtualEngine {
  const settings = settleOptions(options)
  const { blockTokens, totalBlocks } = settings
  const blocks = new BlockNames(blockTokens)
  const sequences = new Map<number, Sequence>()
  let { slowness } = settings
  let scheduler = new Scheduler(settings)
  let nextMs = Infinity
  let decodeSteps = 0
  let lastDecodeMs = 0

  function startStep(nowMs: number, events?: VirtualEngineEvents): void {
    nextMs = Infinity
    if (sequences.size === 0) return
    const preempted = scheduler.fill()
    nextMs = nowMs + stepMs(settings, workOf(scheduler.running), slowness)
    for (const { key } of preempted) events?.preempted?.(key)
  }

  function finishStep(atMs: number, events: VirtualEngineEvents): void {
    if (scheduler.running.some(({ chunk, decoding }) => chunk > 0 && decoding)) {
      decodeSteps++
      lastDecodeMs = atMs
    }
    const produced = scheduler.running.filter((sequence) => completesKnown(sequence))
    for (const sequence of produced) {
      if (sequence.outputTokens > 0) sequence.producedTokens++
      if (sequence.producedTokens === 1) events.firstToken(sequence.key, atMs, sequence.cachedTokens)
    }
    for (const sequence of produced) {
      if (sequence.producedTokens < sequence.outputTokens) continue
      sequence.state = 'finished'
      sequences.delete(sequence.key)
      scheduler.running.splice(scheduler.running.indexOf(sequence), 1)
      scheduler.releaseBlocks(sequence)
      events.finished(sequence.key, atMs)
    }
  }

  function advance(nowMs: number, events: VirtualEngineEvents): void {
    while (nextMs <= nowMs) {
      const atMs = nextMs
      finishStep(atMs, events)
      startStep(atMs, events)
    }
  }

  return {
    get nextMs() {
      return nextMs
    },
    get decodeSteps() {
      return decodeSteps
    },
    get lastDecodeMs() {
      return lastDecodeMs
    },
    submit(request, nowMs) {
      if (nextMs < nowMs) throw new RangeError('advance first')
      const sequence = new Sequence(request.key, request.promptTokens, request.outputTokens, blocks.of(request))
      sequences.set(request.key, sequence)
      scheduler.waiting.pushBack(sequence)
      if (nextMs === Infinity) startStep(nowMs)
    },
    cancel(key) {
      const sequence = sequences.get(key)
      if (sequence === undefined) return false
      sequences.delete(key)
      if (sequence.state === 'waiting') scheduler.waiting.discount()
      else scheduler.running.splice(scheduler.running.indexOf(sequence), 1)
      scheduler.releaseBlocks(sequence)
      sequence.state = 'cancelled'
      return true
    },
    advance,
    setSlowness(factor) {
      slowness = factor
    },
    crash() {
      const lost = [...sequences.keys()]
      sequences.clear()
      scheduler = new Scheduler(settings)
      nextMs = Infinity
      return lost
    },
    get stats() {
      const { running, waiting, pool, counters } = scheduler
      return { running: running.length, waiting: waiting.size, usedBlocks: totalBlocks - pool.free, totalBlocks, ...counters }
    },
    cachedTokens(promptRuns, promptTokens) {
      return scheduler.countCached(blocks.of({ promptRuns, promptTokens, outputTokens: 0 }), promptTokens) * blockTokens
    },
  }
}

/** Counts the chunk as computed; true when the step reached the last known token, which yields the next one. */
function completesKnown(sequence: Sequence): boolean {
  if (sequence.chunk === 0) return false
  sequence.computedTokens += sequence.chunk
  sequence.chunk = 0
  return sequence.computedTokens === sequence.knownTokens
}

function workOf(running: readonly Sequence[]): StepWork {
  const work = { prefillTokens: 0, decodeSequences: 0, decodeKvTokens: 0, attentionPairs: 0 }
  for (const { chunk, computedTokens, decoding } of running) {
    if (chunk === 0) continue
    if (decoding) {
      work.decodeSequences++
      work.decodeKvTokens += computedTokens
    } else {
      work.prefillTokens += chunk
      work.attentionPairs += chunk * (computedTokens + chunk / 2)
    }
  }
  return work
}
