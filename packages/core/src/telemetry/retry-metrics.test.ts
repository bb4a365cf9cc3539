import { describe, expect, it } from 'vitest'
import type { AttemptRecord, RequestRecord } from '../contracts/index.js'
import { GatewayMetrics } from './gateway-metrics.js'

const attempt = (outcome: AttemptRecord['outcome'], more: Partial<AttemptRecord> = {}): AttemptRecord => ({
  node: 'p/a',
  startedMs: 0,
  outcome,
  ...more,
})
const record = (...attempts: AttemptRecord[]): RequestRecord => ({
  v: 1,
  id: 'r',
  arrivedAtMs: 0,
  face: 'openai-chat',
  pool: 'p',
  model: 'm',
  stream: false,
  node: 'p/a',
  attempts,
  status: 200,
  outcome: 'ok',
  errorCode: null,
  bodyBytes: 1,
  promptTokens: 100,
  completionTokens: 1,
  cachedTokens: null,
  inLineMs: 0,
  tokensMeasured: true,
  ttftMs: null,
  totalMs: 1,
  prefixHashes: new Float64Array(0),
})

function told(records: readonly RequestRecord[]): string[] {
  const metrics = new GatewayMetrics({ version: '1', nodes: () => [], budgets: () => [['p', { spent: 3, allowed: 50, waiting: 1 }]] })
  for (const each of records) metrics.settle(each)
  return metrics
    .render()
    .split('\n')
    .filter((line) => /^lb_(retries|tries_in_vain|prompt_tokens_in_vain|hedges|retry_budget)/.test(line))
}

describe('metrics of retries', () => {
  it('count tries that were followed by another, by cause, and work that was done for nothing', () => {
    const moved = record(
      attempt('connect-failed'),
      attempt('refused', { busy: true }),
      attempt('refused', { inVain: true }),
      attempt('reset', { inVain: true }),
      attempt('answered'),
    )
    expect(told([moved, record(attempt('answered')), record(attempt('reset', { inVain: true }))])).toEqual([
      'lb_retries_total{pool="p",cause="connect-failed"} 1',
      'lb_retries_total{pool="p",cause="busy"} 1',
      'lb_retries_total{pool="p",cause="refused"} 1',
      'lb_retries_total{pool="p",cause="reset"} 1',
      'lb_tries_in_vain_total{pool="p",cause="refused"} 1',
      'lb_tries_in_vain_total{pool="p",cause="reset"} 2',
      'lb_prompt_tokens_in_vain_total{pool="p"} 300',
      'lb_retry_budget_spent{pool="p"} 3',
      'lb_retry_budget_allowed{pool="p"} 50',
      'lb_retry_budget_waiting{pool="p"} 1',
    ])
  })

  it('tell who won where two nodes were asked at once', () => {
    const beaten = attempt('cancelled', { hedge: true, inVain: true })
    const won = attempt('answered', { hedge: true })
    const broken = attempt('reset', { hedge: true, inVain: true })
    const lines = told([record(beaten, won), record(won, beaten), record(won, beaten), record(broken, broken, attempt('answered'))])
    expect(lines.filter((line) => line.startsWith('lb_hedges'))).toEqual([
      'lb_hedges_total{pool="p",winner="second"} 1',
      'lb_hedges_total{pool="p",winner="first"} 2',
      'lb_hedges_total{pool="p",winner="none"} 1',
    ])
    expect(lines).toContain('lb_tries_in_vain_total{pool="p",cause="hedge"} 3')
  })
})
