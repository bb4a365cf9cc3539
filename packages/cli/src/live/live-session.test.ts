import { afterEach, describe, expect, it, vi } from 'vitest'
import type { BalancerEvent, BalancerStatus, WhyJson } from '@plimsoll/core'
import { sampleNode, samplePool, sampleRollout, sampleStatus, SAMPLE_AT_MS } from '../views/board/sample-status.test.fixture.js'
import type { LiveClient, LiveMode } from './live-client.js'
import { sampleWhy } from '../views/why.test.fixture.js'
import { LiveSession } from './live-session.js'

const PACE = { restMs: 5, busyMs: 5, answerMs: 500, settleMs: 1 }
const CTRL_C = { ctrl: true }

/** A balancer that answers what the test sets. */
class ScriptedClient implements LiveClient {
  answer: () => Promise<BalancerStatus> = async () => sampleStatus()
  emit: (event: BalancerEvent) => void = () => undefined
  readonly asked: string[] = []
  refusal: Error | undefined
  newest: readonly WhyJson[] = []

  status(): Promise<BalancerStatus> {
    return this.answer()
  }

  async events(onEvent: (event: BalancerEvent) => void, signal: AbortSignal): Promise<void> {
    this.emit = onEvent
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }

  traced = (): Promise<readonly WhyJson[]> => (this.refusal === undefined ? Promise.resolve(this.newest) : Promise.reject(this.refusal))
  drain = (nodeId: string): Promise<void> => this.#ask(`drain ${nodeId}`)
  resume = (nodeId: string): Promise<void> => this.#ask(`resume ${nodeId}`)
  restart = (nodeId: string): Promise<void> => this.#ask(`restart ${nodeId}`)
  actOnRollout = async (pool: string, verb: string) => (await this.#ask(`${verb} ${pool}`), sampleRollout())
  stop = (request: { force?: boolean }): Promise<void> => this.#ask(request.force === true ? 'stop now' : 'stop')
  logPath = (): undefined => undefined

  async #ask(what: string): Promise<void> {
    this.asked.push(what)
    if (this.refusal !== undefined) throw this.refusal
  }
}

const open: LiveSession[] = []

async function begin(client: LiveClient, mode: LiveMode = 'up'): Promise<LiveSession> {
  const session = new LiveSession({ client, mode, curl: 'curl x', now: () => SAMPLE_AT_MS, pace: PACE })
  open.push(session)
  await session.start()
  return session
}

function silence(): Promise<BalancerStatus> {
  return Promise.reject(new Error('ECONNREFUSED'))
}

afterEach(() => {
  for (const session of open.splice(0)) session.end('closed')
})

describe('a live session', () => {
  it('knows the nodes before the first frame', async () => {
    const session = await begin(new ScriptedClient())
    expect(session.state()).toMatchObject({ selected: 'chat/gpu-0', status: { name: 'support-bot' } })
  })

  it('makes foreign text safe at the door', async () => {
    const client = new ScriptedClient()
    client.answer = async () => sampleStatus({ pools: [samplePool('demo', [sampleNode('demo/sim', { reason: 'a\u001b[2J' })])] })
    const session = await begin(client)
    client.emit({ atMs: SAMPLE_AT_MS, kind: 'balancer', message: 'b\u0007' })
    await expect.poll(() => session.state().events[0]?.message).toBe('b\\x07')
    expect(session.state().status?.pools[0]?.nodes[0]?.reason).toBe('a\\e[2J')
  })

  it('tells why the newest traced request of the selected node went there, and how to get one', async () => {
    const client = new ScriptedClient()
    const session = await begin(client)
    session.press('w', {})
    await expect.poll(() => session.state().why?.lines.join('\n')).toMatch(/x-lb-trace: 1/)
    client.newest = [sampleWhy({ choice: 'chat/gpu-1', id: 'req_other' }), sampleWhy({ choice: 'chat/gpu-0' })]
    await expect.poll(() => session.state().why).toMatchObject({ nodeId: 'chat/gpu-0' })
    await expect.poll(() => session.state().why?.lines[0]).toMatch(/^req_1 /)
    session.press('', { downArrow: true })
    await expect.poll(() => session.state().why?.lines[0]).toMatch(/^req_other /)
    client.refusal = new Error('it is \u001b[2Jgone')
    await expect.poll(() => session.state().why?.lines).toEqual(['it is \\e[2Jgone'])
  })

  it('draws nothing while nothing changes', async () => {
    const client = new ScriptedClient()
    let polls = 0
    client.answer = async () => {
      polls += 1
      return sampleStatus()
    }
    const session = await begin(client)
    await expect.poll(() => polls).toBeGreaterThan(3)
    const draw = vi.fn()
    session.subscribe(draw)
    const seen = polls
    await expect.poll(() => polls).toBeGreaterThan(seen + 5)
    expect(draw).not.toHaveBeenCalled()
  })

  it('keeps asking a balancer that does not answer and recovers', async () => {
    const client = new ScriptedClient()
    const session = await begin(client)
    client.answer = silence
    await expect.poll(() => session.state().lost).toEqual({ sinceMs: SAMPLE_AT_MS, reason: 'ECONNREFUSED' })
    client.answer = async () => sampleStatus()
    await expect.poll(() => session.state().lost).toBeUndefined()
    expect(session.state().status?.name).toBe('support-bot')
  })

  it('takes a status that never comes for silence', async () => {
    const client = new ScriptedClient()
    client.answer = () => new Promise(() => undefined)
    const session = await begin(client)
    await expect.poll(() => session.state().lost?.reason, { timeout: 10_000 }).toBe('no answer within 500 ms')
  })

  it('carries out keys and reports what became of them', async () => {
    const client = new ScriptedClient()
    const session = await begin(client)
    session.press('d', {})
    await expect.poll(() => session.state().notice?.text).toBe('chat/gpu-0: drain asked for')
    client.refusal = new Error('not while it starts')
    session.press('u', {})
    await expect.poll(() => session.state().notice?.text).toBe('resume was refused: not while it starts')
    expect(client.asked).toEqual(['drain chat/gpu-0', 'resume chat/gpu-0'])
  })

  it('hands decisions about a rollout on, and shows a refusal made safe', async () => {
    const client = new ScriptedClient()
    client.answer = async () => sampleStatus({ pools: [samplePool('chat', [sampleNode('chat/a')], { rollout: sampleRollout() })] })
    const session = await begin(client)
    session.press('p', {})
    await expect.poll(() => session.state().notice?.text).toBe('rollout chat: pause asked for')
    client.refusal = new Error('it is \u001b[2Jover')
    session.press('A', {})
    session.press('y', {})
    await expect.poll(() => session.state().notice?.text).toBe('abort was refused: it is \\e[2Jover')
    expect(client.asked).toEqual(['pause chat', 'abort chat'])
  })

  it('asks to stop, watches it drain and ends when the balancer is gone', async () => {
    const client = new ScriptedClient()
    const session = await begin(client)
    session.press('c', CTRL_C)
    session.press('c', CTRL_C)
    await expect.poll(() => client.asked).toEqual(['stop'])
    expect(session.state().stopping).toBe('draining')
    session.press('c', CTRL_C)
    await expect.poll(() => client.asked).toEqual(['stop', 'stop now'])
    client.answer = silence
    expect(await session.ended).toBe('stop')
  })

  it('ends with a balancer that was stopped from elsewhere', async () => {
    const client = new ScriptedClient()
    client.answer = async () => sampleStatus({ state: 'draining' })
    const session = await begin(client)
    client.answer = silence
    expect(await session.ended).toBe('stop')
  })

  it('leaves without a word to the balancer in top mode', async () => {
    const client = new ScriptedClient()
    const session = await begin(client, 'top')
    session.press('q', {})
    expect(await session.ended).toBe('leave')
    expect(client.asked).toEqual([])
  })

  it('says why there is no log', async () => {
    const session = await begin(new ScriptedClient())
    session.press('l', {})
    await expect.poll(() => session.state().log?.problem).toBe('this node has no log file on this machine')
  })
})
