import type { NodeBelief } from '../../contracts/index.js'
import type { HungVerdict, NodeSigns } from '../../health/index.js'
import { dossiersOf, type GpuReading, type ProcessDossier, tailFile } from '../../machines/index.js'
import type { Node } from '../../nodes/index.js'
import type { NodeNotes } from './node-notes.js'

export interface EvidenceScene {
  readonly node: Node
  readonly notes: NodeNotes
  readonly belief: NodeBelief
  readonly signs: NodeSigns
  readonly verdict: Exclude<HungVerdict, { kind: 'well' }>
  /** What the accelerators' tools said last. */
  readonly gpus: GpuReading | undefined
  readonly nowMs: number
  readonly epochMs: number
}

const LOG_LINES = 40
const LONGEST_LINE = 300
/** Quoted text so long may be somebody's prompt. */
const QUOTED = /(["'])(?:\\.|(?!\1).){40,}\1?/gs
/** Names and values that look like secrets. */
const SECRETS = /\b(?:sk|hf|ghp|xox[abp])[-_][\w-]{8,}|\bBearer\s+\S+|\b(?:api[-_]?key|token|password|secret)["']?\s*[=:]\s*\S+/gi

/** Everything that may tell later why a node hung. No prompt, no answer, no key. Takes what can be had now; `log` and `processes` are read from the machine. */
export function evidenceOf({ node, notes, belief, signs, verdict, gpus, nowMs, epochMs }: EvidenceScene): object {
  const { endpoint, load } = node
  return {
    v: 1,
    at: new Date(epochMs).toISOString(),
    why: verdict.why,
    node: {
      id: node.id,
      engine: node.plan.group.engine,
      version: node.version,
      url: endpoint?.url ?? null,
      state: node.state,
      reason: node.reason,
      since: new Date(node.sinceMs).toISOString(),
      life: node.incarnation,
      restarts: node.restarts,
      pid: endpoint?.process?.pid ?? null,
      launched: endpoint?.launch !== undefined,
    },
    silence: { silentMs: round(verdict.silentMs), allowedMs: round(verdict.allowed.ms), because: verdict.allowed.because },
    requests: {
      inFlight: belief.inFlight,
      withoutAToken: belief.waiting,
      longestPromptTokens: belief.largestPromptTokens,
      prefillTokens: belief.prefillTokens,
      longestSilentAnswerTokens: belief.silentTokens,
      firstInLineForMs: belief.waiting > 0 ? round(nowMs - belief.headSinceMs) : null,
      lastTokenMsAgo: belief.lastTokenMs > 0 ? round(nowMs - belief.lastTokenMs) : null,
    },
    load: load === null ? null : { ageMs: round(nowMs - load.atMs), ...load.facts },
    probes: notes.probes.map(({ atMs, ...probe }) => ({ msAgo: round(epochMs - atMs), ...probe, tookMs: round(probe.tookMs) })),
    unansweredProbes: signs.unanswered,
    lastCanaryMsAgo: Number.isFinite(notes.canaryAtMs) ? round(nowMs - notes.canaryAtMs) : null,
    canariesWithoutAnswer: notes.canariesSilent,
    gpus: gpusOf(node, gpus, epochMs),
    processes: processesOf(node, signs),
    log: logOf(node),
  }
}

/** Of those that it was given; of all where nobody chose. */
function gpusOf(node: Node, reading: GpuReading | undefined, epochMs: number): readonly object[] | null {
  if (reading === undefined) return null
  const given = node.endpoint?.launch?.gpus?.map(({ uuid, pciBusId }) => uuid ?? pciBusId)
  return reading.gpus
    .filter(({ uuid, pciBusId }) => given === undefined || given.includes(uuid ?? pciBusId))
    .map(({ seenAtMs, source: _source, ...gpu }) => ({ ...gpu, ageMs: round(epochMs - seenAtMs) }))
}

function processesOf(
  { endpoint }: Node,
  { process }: NodeSigns,
): { readonly does: string | null; readonly all: readonly ProcessDossier[] } | null {
  const pid = endpoint?.process?.pid
  return pid === undefined || endpoint?.launch?.host !== undefined ? null : { does: process ?? null, all: dossiersOf(pid) }
}

function logOf({ endpoint }: Node): readonly string[] | null {
  const path = endpoint?.logPath
  return path === undefined ? null : tailFile(path, LOG_LINES, endpoint?.launch?.logFrom ?? 0).map(harmless)
}

/** A log line without what may be a prompt or a secret. */
export function harmless(line: string): string {
  return line
    .slice(0, 4_096)
    .replaceAll(QUOTED, (text) => `<${text.length} characters in quotes left out>`)
    .replaceAll(SECRETS, '<left out>')
    .replaceAll(/\p{Cc}|\p{Cf}/gu, '')
    .slice(0, LONGEST_LINE)
}

function round(ms: number): number {
  return Math.round(ms)
}
