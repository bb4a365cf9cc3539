import type { MetricDeclaration } from './metric-declaration.js'

const ttftBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const interTokenBounds = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1]
const errorBounds = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5]
const durationBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

function declare<const Label extends string>(
  kind: MetricDeclaration['kind'],
  name: string,
  rest: Pick<MetricDeclaration<Label>, 'help' | 'labels' | 'buckets'>,
): MetricDeclaration<Label> {
  return { kind, name, ...rest }
}

/** Every metric that `/metrics` shows; docs/reference/metrics.md is generated from here. */
export const gatewayMetricDeclarations = {
  buildInfo: declare('gauge', 'lb_build_info', { help: 'Always 1; the version is in the label.', labels: ['version'] }),
  requests: declare('counter', 'lb_requests_total', {
    help: 'Settled requests by pool, answering node and outcome (ok, client-error, engine-error, unavailable, cut, client-gone).',
    labels: ['pool', 'node', 'outcome'],
  }),
  attempts: declare('counter', 'lb_request_attempts_total', {
    help: 'Tries at nodes by outcome (answered, connect-failed, unsent, reset, timeout, refused, cancelled, cut, hung).',
    labels: ['outcome'],
  }),
  retries: declare('counter', 'lb_retries_total', {
    help: 'Tries that were followed by another one, by why they failed (connect-failed, unsent, reset, timeout, refused, busy, hung, cut). busy: 429, which is no fault; unsent: lb itself had no file descriptor.',
    labels: ['pool', 'cause'],
  }),
  inVain: declare('counter', 'lb_tries_in_vain_total', {
    help: 'Tries that were sent to an engine and brought the client nothing: work that was done for nothing, or twice. Those that another try overtook are of the cause hedge.',
    labels: ['pool', 'cause'],
  }),
  tokensInVain: declare('counter', 'lb_prompt_tokens_in_vain_total', {
    help: 'Prompt tokens of the requests of such tries, once for each of them.',
    labels: ['pool'],
  }),
  hedges: declare('counter', 'lb_hedges_total', {
    help: 'Second tries that began beside a slow first one, by who answered first (first, second, none).',
    labels: ['pool', 'winner'],
  }),
  retryBudgetSpent: declare('gauge', 'lb_retry_budget_spent', {
    help: 'Tries of the last 10 s that brought nothing, or have brought nothing yet, over all data threads.',
    labels: ['pool'],
  }),
  retryBudgetAllowed: declare('gauge', 'lb_retry_budget_allowed', { help: 'As many may be.', labels: ['pool'] }),
  retryBudgetWaiting: declare('gauge', 'lb_retry_budget_waiting', {
    help: 'Requests that wait until the budget allows another try.',
    labels: ['pool'],
  }),
  collected: declare('counter', 'lb_collected_answers_total', {
    help: 'Plain answers that were collected from a stream, so that the engine lets go at once when a client leaves.',
    labels: ['pool'],
  }),
  splices: declare('counter', 'lb_splices_total', {
    help: 'Tries to go on with a stream that another node began, by grade (exact, text) and result: whole, cut (it broke off again after more text), failed (nothing came of it), client-gone.',
    labels: ['pool', 'grade', 'result'],
  }),
  lateReleases: declare('counter', 'lb_late_releases_total', {
    help: 'Requests whose client left while their engine would notice that late: a slot stayed busy for a while.',
    labels: ['pool'],
  }),
  gatewayRequests: declare('counter', 'lb_gateway_requests_total', {
    help: 'Answers of the gateway by HTTP status code; 0 when the client left before one.',
    labels: ['code'],
  }),
  ttft: declare('histogram', 'lb_request_ttft_seconds', {
    help: 'Seconds from arrival to the first content byte for the client.',
    labels: ['pool', 'node'],
    buckets: ttftBounds,
  }),
  interToken: declare('histogram', 'lb_request_inter_token_seconds', {
    help: 'Mean seconds per output token after the first, one observation for each completed stream.',
    labels: ['pool', 'node'],
    buckets: interTokenBounds,
  }),
  duration: declare('histogram', 'lb_request_duration_seconds', {
    help: 'Seconds from arrival to the end of the answer.',
    labels: ['pool', 'node'],
    buckets: durationBounds,
  }),
  tokens: declare('counter', 'lb_tokens_total', {
    help: 'Tokens of settled requests by kind (prompt, completion, cached); cached ones are also counted as prompt. Estimated where the engine gave no usage.',
    labels: ['pool', 'node', 'kind'],
  }),
  timeInLine: declare('histogram', 'lb_request_in_line_seconds', {
    help: 'Seconds in line before a node took the request; only of requests that waited.',
    labels: ['pool'],
    buckets: ttftBounds,
  }),
  inLine: declare('gauge', 'lb_pool_in_line', {
    help: 'Requests that wait in line right now: the strategy wants no node for them yet, or there is none.',
    labels: ['pool'],
  }),
  strategyReport: declare('gauge', 'lb_strategy_report', {
    help: 'What the strategy of the pool says of itself, by name: such as the error of its predictions. The mean over threads.',
    labels: ['pool', 'strategy', 'name'],
  }),
  nodeInFlight: declare('gauge', 'lb_node_in_flight', { help: 'Requests at the node right now.', labels: ['pool', 'node'] }),
  nodeWaiting: declare('gauge', 'lb_node_waiting', {
    help: 'Of the requests at the node, those without a first token.',
    labels: ['pool', 'node'],
  }),
  nodeTokensInFlight: declare('gauge', 'lb_node_tokens_in_flight', {
    help: 'Tokens of the requests at the node, prompt and expected answer.',
    labels: ['pool', 'node'],
  }),
  nodePrefillTokens: declare('gauge', 'lb_node_prefill_tokens', {
    help: 'Prompt tokens of the requests that wait for their first token which the cache of the node is not believed to hold: prefill that is ahead of it.',
    labels: ['pool', 'node'],
  }),
  nodeDecodeTokens: declare('gauge', 'lb_node_decode_tokens', {
    help: 'Tokens of the requests that decode at the node, prompt and half the expected answer; a prefix that they share counts once.',
    labels: ['pool', 'node'],
  }),
  nodeSlowness: declare('gauge', 'lb_node_slowness_ratio', {
    help: 'How many times longer the node takes for a step than the typical node of its pool; 1 until it is known to differ by half.',
    labels: ['pool', 'node'],
  }),
  mirrorBlocks: declare('gauge', 'lb_mirror_blocks', {
    help: 'Prompt blocks that the prefix cache of the node is believed to hold.',
    labels: ['pool', 'node'],
  }),
  mirrorTokens: declare('gauge', 'lb_mirror_tokens', { help: 'Tokens in these blocks.', labels: ['pool', 'node'] }),
  mirrorCapacity: declare('gauge', 'lb_mirror_capacity_tokens', {
    help: 'Tokens that the prefix cache of the node is believed to have room for: told by its engine, or learned from its answers.',
    labels: ['pool', 'node'],
  }),
  mirrorTrust: declare('gauge', 'lb_mirror_trust_ratio', {
    help: 'Share of the tokens believed cached that the engine found, moving average; below 0.15 nothing is believed cached there.',
    labels: ['pool', 'node'],
  }),
  mirrorBytes: declare('gauge', 'lb_mirror_bytes', {
    help: 'Memory of what is believed of prefix caches, over all threads; those of data threads are taken to be as large as the one of the main thread.',
    labels: [],
  }),
  believedCachedTokens: declare('counter', 'lb_believed_cached_tokens_total', {
    help: 'Prompt tokens that were believed cached when their request was sent, where the engine then said how many were: beside lb_tokens_total of kind cached.',
    labels: ['pool', 'node'],
  }),
  cacheBeliefError: declare('histogram', 'lb_cache_belief_error_ratio', {
    help: 'Difference between the tokens believed cached and those that the engine found, as a share of the prompt.',
    labels: ['pool'],
    buckets: errorBounds,
  }),
  promptEstimateError: declare('histogram', 'lb_prompt_estimate_error_ratio', {
    help: 'Difference between the estimated tokens of a prompt and those that the engine counted, as a share of the latter.',
    labels: ['pool'],
    buckets: errorBounds,
  }),
  quarantined: declare('gauge', 'lb_quarantined_requests', {
    help: 'Request bodies that are refused right now because engines crashed on them.',
    labels: [],
  }),
  crashSuspects: declare('gauge', 'lb_crash_suspects', {
    help: 'Request bodies that were at a node when it crashed, and have not been answered since.',
    labels: [],
  }),
  nodeState: declare('gauge', 'lb_node_state', {
    help: '1 for the state that the node is in, 0 for the others.',
    labels: ['pool', 'node', 'state'],
  }),
  nodeRestarts: declare('counter', 'lb_node_restarts_total', {
    help: 'Times that the node was started again after a failure.',
    labels: ['pool', 'node'],
  }),
  nodeEjections: declare('counter', 'lb_node_ejections_total', {
    help: 'Times that the node was taken out although its probes were good, by reason: failures, slow, hung.',
    labels: ['pool', 'node', 'reason'],
  }),
  nodeEjected: declare('gauge', 'lb_node_ejected', {
    help: '1 while the node is taken out so, else 0.',
    labels: ['pool', 'node'],
  }),
  nodeAdmission: declare('gauge', 'lb_node_admission_ratio', {
    help: 'Share of its usual requests that the node may have: 1 but for nodes that come back after a failure; 0 while it is out, or on trial with single ones.',
    labels: ['pool', 'node'],
  }),
  nodeHung: declare('counter', 'lb_node_hung_total', {
    help: 'Times that the node was found to hang: work in flight and no token for longer than the work would explain.',
    labels: ['pool', 'node'],
  }),
  canaryRequests: declare('counter', 'lb_canary_requests_total', {
    help: "Requests of lb's own for one token, by outcome (answered, refused, silent, failed). They are in no other figure.",
    labels: ['pool', 'node', 'outcome'],
  }),
  warmUpPrompts: declare('counter', 'lb_warm_up_prompts_total', {
    help: 'Prompts that new nodes were to compute before they took requests, by outcome (computed, failed, unfinished). They are in no other figure.',
    labels: ['pool', 'node', 'outcome'],
  }),
  sourceMembers: declare('gauge', 'lb_source_members', {
    help: 'Servers that the source of a node group named last.',
    labels: ['pool', 'group'],
  }),
  sourceAge: declare('gauge', 'lb_source_age_seconds', {
    help: 'Seconds since the source last said so; missing before the first time.',
    labels: ['pool', 'group'],
  }),
  sourceFailing: declare('gauge', 'lb_source_failing', {
    help: '1 while the source cannot be asked or used, and what it named last stays.',
    labels: ['pool', 'group'],
  }),
  scaleReplicas: declare('gauge', 'lb_scale_replicas', {
    help: 'Nodes of a group whose number changes, those that still start too.',
    labels: ['pool', 'group'],
  }),
  scaleWanted: declare('gauge', 'lb_scale_wanted_replicas', {
    help: 'As many nodes are wanted in the group, by its load or by what somebody asked for.',
    labels: ['pool', 'group'],
  }),
  scaleChanges: declare('counter', 'lb_scale_changes_total', {
    help: 'Changes of the number of nodes of a group that follows its load, by direction (up, down).',
    labels: ['pool', 'group', 'direction'],
  }),
  scaleFailures: declare('counter', 'lb_scale_failures_total', {
    help: 'What kept a group from having as many nodes as were wanted: room (nothing to place one on), machines (the provider), change (provider or disk, when the number was changed), node (one that nobody starts again).',
    labels: ['pool', 'group', 'what'],
  }),
  residencySwaps: declare('counter', 'lb_residency_swaps_total', {
    help: 'Times that a pool (from) was put to rest, by reason: turn (another one, to, is waited for), idle, asked, failed (its engines do not start).',
    labels: ['from', 'to', 'reason'],
  }),
  residencyWaking: declare('histogram', 'lb_residency_wake_seconds', {
    help: 'Seconds from the moment at which a pool was woken to its first node that took requests.',
    labels: ['pool'],
    buckets: durationBounds,
  }),
  residencyFailures: declare('counter', 'lb_residency_wake_failures_total', {
    help: 'Times that a pool was woken and its engines did not start.',
    labels: ['pool'],
  }),
  rolloutPhase: declare('gauge', 'lb_rollout_phase', {
    help: '1 for the phase in which the newest rollout of the pool is, as `lb rollout status` names it; no series before the first.',
    labels: ['pool', 'phase'],
  }),
  rolloutShare: declare('gauge', 'lb_rollout_share_ratio', {
    help: 'Share of the traffic that the revision gets, while a rollout runs in the pool.',
    labels: ['pool', 'revision'],
  }),
  rolloutJudged: declare('gauge', 'lb_rollout_judged_requests', {
    help: 'Requests of the revision that the rollout which runs was judged by so far.',
    labels: ['pool', 'revision'],
  }),
  residencyState: declare('gauge', 'lb_residency_state', {
    help: '1 for the state in which the pool is that shares accelerators: awake, waking, making-room, going-to-rest, resting.',
    labels: ['pool', 'state'],
  }),
  residencyWaiting: declare('gauge', 'lb_residency_waiting', {
    help: 'Requests that wait until the pool is awake.',
    labels: ['pool'],
  }),
  residencyWakes: declare('counter', 'lb_residency_wakes_total', {
    help: 'Times that the pool was woken.',
    labels: ['pool'],
  }),
  engineRunning: declare('gauge', 'lb_engine_running', {
    help: 'Requests that the engine says it works on, of all its clients.',
    labels: ['pool', 'node'],
  }),
  engineWaiting: declare('gauge', 'lb_engine_waiting', { help: 'Requests that wait inside the engine.', labels: ['pool', 'node'] }),
  engineSlots: declare('gauge', 'lb_engine_slots', { help: 'Requests that the engine can work on at once.', labels: ['pool', 'node'] }),
  engineKvUsed: declare('gauge', 'lb_engine_kv_used_ratio', { help: 'Share of its KV cache in use, 0 to 1.', labels: ['pool', 'node'] }),
  enginePromptTokens: declare('counter', 'lb_engine_prompt_tokens_total', {
    help: 'Prompt tokens that the engine took in since it started.',
    labels: ['pool', 'node'],
  }),
  engineCachedTokens: declare('counter', 'lb_engine_cached_tokens_total', {
    help: 'Of these, the ones that it found in its cache.',
    labels: ['pool', 'node'],
  }),
  engineLoadAge: declare('gauge', 'lb_engine_load_age_seconds', {
    help: 'Age of what the engine told of its load. Where an engine does not tell a figure, its series is missing.',
    labels: ['pool', 'node'],
  }),
} as const
