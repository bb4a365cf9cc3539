import type { BalancerEvent, BalancerStatus, GpuStatus, JudgeFigure, NodeStatus, PoolStatus, RolloutStatus } from '@plimsoll/core'

/** A made-up balancer for tests of what is drawn. */
export const SAMPLE_AT_MS = new Date(2026, 0, 2, 14, 2, 31).getTime()

export function sampleNode(id: string, facts: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id,
    name: id.slice(id.indexOf('/') + 1),
    engine: 'sim',
    host: 'here',
    state: 'ready',
    reason: null,
    sinceMs: SAMPLE_AT_MS - 60_000,
    url: 'http://127.0.0.1:18400',
    pid: 4242,
    weight: 1,
    inFlight: 14,
    waiting: 1,
    tokensInFlight: 3200,
    requests: 1204,
    errors: 0,
    ttftMs: { p50: 142, p95: 208 },
    tpotMs: { p50: 18, p95: 22 },
    tokensPerSecond: 1400,
    restarts: 0,
    version: '0.14',
    gpus: null,
    logPath: '/tmp/sim-0.log',
    progress: null,
    adopted: false,
    warnings: [],
    lastLines: [],
    load: null,
    ...facts,
  }
}

export function sampleGpu(index: number, facts: Partial<GpuStatus> = {}): GpuStatus {
  return {
    key: `GPU-${index}`,
    host: null,
    vendor: 'nvidia',
    index,
    uuid: `GPU-${index}`,
    pciBusId: null,
    name: 'NVIDIA H100 80GB HBM3',
    migProfile: null,
    memTotalMiB: 81559,
    memFreeMiB: 8348,
    utilization: 0.98,
    temperatureC: 61,
    unified: false,
    broken: null,
    seenAtMs: SAMPLE_AT_MS - 2_000,
    nodes: [],
    heldBy: [],
    ...facts,
  }
}

const QUIET = { inFlight: 0, waiting: 0, tokensInFlight: 0, ttftMs: null, tpotMs: null, tokensPerSecond: 0 } as const

export function samplePool(name: string, nodes: readonly NodeStatus[], facts: Partial<PoolStatus> = {}): PoolStatus {
  return {
    name,
    models: ['qwen3-4b', 'gpt-4o-mini'],
    strategy: 'least-tokens',
    inFlight: 28,
    waiting: 3,
    requests: 2400,
    errors: 0,
    tokensPerSecond: 2892,
    ttftMs: { p50: 180, p95: 212 },
    ttftHistoryMs: [
      null,
      null,
      140,
      142,
      150,
      141,
      140,
      160,
      210,
      240,
      180,
      150,
      141,
      143,
      139,
      180,
      260,
      281,
      190,
      160,
      150,
      144,
      140,
      180,
    ],
    nodes,
    ...facts,
  }
}

/** Two pools on two hosts, with a node in nearly every state. */
export function sampleStatus(facts: Partial<BalancerStatus> = {}): BalancerStatus {
  const chat = [
    sampleNode('chat/gpu-0'),
    sampleNode('chat/laptop', {
      host: 'lab',
      state: 'draining',
      inFlight: 2,
      ttftMs: { p50: 402, p95: 1911 },
      errors: 3,
      reason: 'asked by you',
    }),
    sampleNode('chat/gpu-1', { inFlight: 12, tokensPerSecond: 1310 }),
    sampleNode('chat/gpu-2', { ...QUIET, state: 'loading', progress: 0.62, sinceMs: SAMPLE_AT_MS - 12_000, reason: '1.4 of 2.2 GB' }),
    sampleNode('chat/gpu-3', { ...QUIET, state: 'failed', reason: 'the process ended with code 137; next start in 8 s' }),
  ]
  return {
    name: 'support-bot',
    pid: 99,
    version: '0.1.0',
    startedAtMs: SAMPLE_AT_MS - 600_000,
    state: 'serving',
    file: '/home/me/lb.yaml',
    logDir: '/tmp/logs',
    gateway: {
      listen: ['http://127.0.0.1:8484'],
      threads: 0,
      requestsPerSecond: 42,
      tokensPerSecond: 3102,
      ttftMs: { p50: 160, p95: 212 },
    },
    pools: [
      samplePool('chat', chat),
      samplePool('embed', [sampleNode('embed/cpu-0', { ...QUIET, inFlight: 1, ttftMs: { p50: 8, p95: 11 } })], {
        models: ['nomic-embed'],
        strategy: 'least-requests',
        inFlight: 1,
        waiting: 0,
        ttftMs: { p50: 8.6, p95: 11 },
      }),
    ],
    gpus: [],
    gpuProblems: [],
    ...facts,
  }
}

const figure = (name: string, facts: Partial<JudgeFigure> = {}): JudgeFigure => ({
  name,
  canary: 0,
  baseline: 0,
  unit: 'ratio',
  limit: 'at most +1 %',
  verdict: 'good',
  ...facts,
})

/** A canary that fares well, at its second step. */
export function sampleRollout(facts: Partial<RolloutStatus> = {}): RolloutStatus {
  return {
    id: 'chat-4',
    pool: 'chat',
    kind: 'canary',
    phase: 'holding',
    from: { revision: 'r1', hash: 'a31f0c22', model: 'qwen3-4b', nodes: ['chat/gpu-0', 'chat/gpu-1'] },
    to: { revision: 'r2', hash: '9c02aa10', model: 'qwen3-4b', nodes: ['chat/gpu-2'] },
    step: 2,
    steps: [0.05, 0.25, 0.5, 1],
    share: 0.25,
    startedAtMs: SAMPLE_AT_MS - 120_000,
    endedAtMs: null,
    stepEndsAtMs: SAMPLE_AT_MS + 41_000,
    reason: null,
    judge: {
      verdict: 'good',
      reason: null,
      canaryRequests: 412,
      baselineRequests: 1_231,
      figures: [
        figure('errors', { baseline: 0.004, confidence: 0.62 }),
        figure('ttft', { canary: 148, baseline: 144, unit: 'ms', limit: 'at most x1.3' }),
        figure('empty', { limit: 'at most +0.5 %' }),
        figure('golden', { canary: 12, baseline: null, unit: 'count', limit: 'all 12' }),
      ],
    },
    events: [
      { atMs: SAMPLE_AT_MS - 120_000, message: 'started' },
      { atMs: SAMPLE_AT_MS - 19_000, message: 'step 2 of 4: 25 % of the traffic' },
    ],
    ...facts,
  }
}

export const SAMPLE_EVENTS: readonly BalancerEvent[] = [
  {
    atMs: SAMPLE_AT_MS - 13_000,
    kind: 'node',
    node: 'chat/laptop',
    from: 'ready',
    to: 'draining',
    message: 'chat/laptop draining: asked by you',
  },
  {
    atMs: SAMPLE_AT_MS - 36_000,
    kind: 'node',
    node: 'chat/gpu-3',
    from: 'ready',
    to: 'failed',
    message: 'the process ended with code 137',
  },
  { atMs: SAMPLE_AT_MS - 60_000, kind: 'gateway', message: 'listening on http://127.0.0.1:8484' },
]
