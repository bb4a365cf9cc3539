import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../base/index.js'
import type { Backend, NodeState, ProbeReport } from '../contracts/index.js'
import { ProbeLoop } from './probe-loop.js'

const READY: ProbeReport = { verdict: 'ready' }
const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }
const settings = { intervalMs: 2000, timeoutMs: 1000, fall: 3, rise: 2 }

class FakeNode {
  state: NodeState = 'starting'
  endpoint: { readonly backend: Backend } | undefined
  readonly plan = { pool: { health: settings } }
  readonly askedAtMs: number[] = []
  answer: (signal: AbortSignal) => Promise<ProbeReport> = () => Promise.resolve(READY)

  constructor(
    readonly id: string,
    private readonly clock: FakeClock,
  ) {
    this.renew()
  }

  renew(minProbeIntervalMs = 0): void {
    const probe = (signal: AbortSignal): Promise<ProbeReport> => {
      this.askedAtMs.push(this.clock.nowMs())
      return this.answer(signal)
    }
    this.endpoint = { backend: { probe, minProbeIntervalMs, dialect } }
  }

  /** Waits between probes, of those asked from `fromMs` on. */
  gaps(fromMs = 0): number[] {
    const times = this.askedAtMs.filter((atMs) => atMs >= fromMs)
    return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))
  }
}

function setUp(ids = ['a']) {
  const clock = new FakeClock()
  const nodes = ids.map((id) => new FakeNode(id, clock))
  const verdicts: string[] = []
  const loop = new ProbeLoop({
    clock,
    random: seededRandom(5),
    nodes: () => nodes,
    onVerdict(id, verdict, report) {
      verdicts.push(`${id} ${verdict}${report.verdict === 'ready' ? '' : `: ${report.reason}`}`)
    },
  })
  const [node] = nodes
  if (node === undefined) throw new Error('no node')
  return { clock, nodes, node, verdicts, loop }
}

/** Time passes in small steps, with room for answers in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    clock.advance(10)
    for (let turn = 0; turn < 6; turn += 1) await Promise.resolve()
  }
}

describe('the probe loop', () => {
  it('asks a starting node often, ever less so, and at once', async () => {
    const { clock, node, loop } = setUp()
    node.answer = () => Promise.resolve({ verdict: 'sick', reason: 'not yet' })
    loop.sync()
    await pass(clock, 30_000)
    expect(node.askedAtMs[0]).toBeLessThanOrEqual(10)
    expect(Math.max(...node.gaps().slice(0, 5))).toBeLessThanOrEqual(80)
    expect(Math.min(...node.gaps(20_000))).toBeGreaterThanOrEqual(1500)
    expect(Math.max(...node.gaps(20_000))).toBeLessThanOrEqual(2420)
  })

  it('keeps to the interval of a ready node give or take a fifth, not in step with others', async () => {
    const { clock, nodes, loop } = setUp(['a', 'b', 'c'])
    for (const node of nodes) node.state = 'ready'
    loop.sync()
    await pass(clock, 60_000)
    for (const node of nodes) {
      expect(Math.min(...node.gaps())).toBeGreaterThanOrEqual(1600)
      expect(Math.max(...node.gaps())).toBeLessThanOrEqual(2420)
    }
    expect(new Set(nodes.map((node) => node.askedAtMs.at(-1))).size).toBe(3)
  })

  it('asks sooner after a failure, but never more often than the engine bears', async () => {
    const { clock, node, loop } = setUp()
    node.state = 'ready'
    node.answer = () => Promise.resolve({ verdict: 'sick', reason: 'no' })
    loop.sync()
    await pass(clock, 5000)
    expect(Math.max(...node.gaps())).toBeLessThanOrEqual(620)
    node.renew(1500)
    loop.sync()
    const fromMs = clock.nowMs() + 20
    await pass(clock, 10_000)
    expect(Math.min(...node.gaps(fromMs))).toBeGreaterThanOrEqual(1500)
  })

  it('calls silence a failure after the timeout, cancels the probe, and never has two under way', async () => {
    const { clock, node, verdicts, loop } = setUp()
    let underWay = 0
    let most = 0
    node.answer = (signal) =>
      new Promise((_resolve, reject) => {
        underWay += 1
        most = Math.max(most, underWay)
        signal.addEventListener('abort', () => {
          underWay -= 1
          reject(new Error('cancelled'))
        })
      })
    loop.sync()
    await pass(clock, 5000)
    expect(verdicts[0]).toBe('a bad: no answer to a probe within 1000 ms')
    expect(verdicts.length).toBeGreaterThan(2)
    expect(most).toBe(1)
    loop.stop()
    expect(underWay).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('takes a throwing plugin for a sick node and says what it threw', async () => {
    const { clock, node, verdicts, loop } = setUp()
    node.answer = () => {
      throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
    }
    loop.sync()
    await pass(clock, 20)
    node.answer = () => Promise.reject(new Error('plugin is broken'))
    await pass(clock, 200)
    expect(verdicts[0]).toBe('a bad: does not answer (connection refused)')
    expect(verdicts).toContain('a bad: plugin is broken')
  })

  it('takes its own lack of descriptors for no news of the node', async () => {
    const { clock, node, verdicts, loop } = setUp()
    loop.sync()
    await pass(clock, 50)
    const before = [...verdicts]
    let asked = 0
    node.answer = () => {
      asked += 1
      return Promise.reject(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }))
    }
    await pass(clock, 60_000)
    expect(asked).toBeGreaterThan(5)
    expect(verdicts).toEqual(before)
  })

  it('drops an answer about a life that has ended meanwhile', async () => {
    const { clock, node, verdicts, loop } = setUp()
    let answerOld: (report: ProbeReport) => void = () => undefined
    node.answer = () => new Promise((resolve) => (answerOld = resolve))
    loop.sync()
    await pass(clock, 20)
    node.renew()
    node.answer = () => Promise.resolve({ verdict: 'loading', reason: 'weights' })
    loop.sync()
    answerOld(READY)
    await pass(clock, 20)
    expect(verdicts).toEqual(['a loading: weights'])
  })

  it('follows who joins and who leaves', async () => {
    const { clock, nodes, loop } = setUp(['a', 'b'])
    loop.sync()
    await pass(clock, 20)
    const left = nodes.pop()
    loop.sync()
    const asked = left?.askedAtMs.length
    await pass(clock, 5000)
    expect(left?.askedAtMs.length).toBe(asked)
    nodes.push(new FakeNode('c', clock))
    loop.sync()
    await pass(clock, 20)
    expect(nodes[1]?.askedAtMs).toHaveLength(1)
  })

  it('does not ask at the old address of a stopped node', async () => {
    const { clock, node, loop } = setUp()
    node.state = 'stopped'
    loop.sync()
    await pass(clock, 5000)
    expect(node.askedAtMs).toEqual([])
    node.state = 'starting'
    node.renew()
    loop.sync()
    await pass(clock, 20)
    expect(node.askedAtMs).toHaveLength(1)
  })
})
