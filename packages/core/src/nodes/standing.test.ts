import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { nodePlan } from './fleet.test.fixture.js'
import type { NodeEndpoint } from './node-endpoint.js'
import { Node } from './node.js'
import { rosterOf } from './roster-view.js'

const endpoint = { url: '', target: {}, backend: { dialect: {} }, authHeaders: {} } as unknown as NodeEndpoint
const ejection = { reason: 'ejected for 1 s: x', untilMs: 1_000 }

function ready(): { node: Node; said: string[] } {
  const said: string[] = []
  const node = new Node(0, nodePlan(), new FakeClock(), ({ to, reason }) => said.push(`${to}${reason === null ? '' : `: ${reason}`}`))
  node.move('start')
  node.setEndpoint(endpoint)
  node.move('steady')
  return { node, said }
}

describe('a node that is ejected', () => {
  it('keeps its reason whatever its probes say, and comes back ready with a note', () => {
    const { node, said } = ready()
    expect(node.eject(ejection)).toBe(true)
    for (const event of ['good', 'steady', 'bad', 'steady'] as const) node.move(event, event === 'bad' ? 'no answer' : null)
    expect([node.state, node.reason]).toEqual(['suspect', 'ejected for 1 s: x'])
    node.readmit({ trial: 0, note: 'on trial' })
    expect([node.state, node.reason, node.standing.view]).toEqual(['ready', 'on trial', { trial: 0 }])
    node.move('steady')
    expect(node.reason).toBe('on trial')
    node.admit({})
    expect(said).toEqual(['starting', 'ready', 'suspect: ejected for 1 s: x', 'ready: on trial', 'ready'])
  })

  it('cannot be one that is not up', () => {
    const { node } = ready()
    node.move('loading', 'weights')
    expect(node.eject(ejection)).toBe(false)
    node.move('fail', 'killed')
    expect(node.eject(ejection)).toBe(false)
    expect(node.standing.view).toEqual({})
  })

  it('goes on draining, and what hangs there is given up', () => {
    const { node } = ready()
    node.move('drain', 'asked by you')
    expect(node.eject({ ...ejection, lost: 'it hangs' })).toBe(true)
    expect([node.state, node.reason, node.standing.view]).toEqual(['draining', 'asked by you', { ejected: 1, lost: 'it hangs' }])
    node.move('resume')
    expect([node.state, node.standing.view]).toEqual(['ready', {}])
  })

  it('is forgotten with its life, and with its engine that loads again', () => {
    const { node } = ready()
    node.eject(ejection)
    node.move('loading', 'weights')
    expect(node.standing.view).toEqual({})
    node.move('steady')
    node.eject(ejection)
    node.move('fail', 'killed')
    node.move('start')
    node.setEndpoint(endpoint)
    expect([node.standing.view, node.standing.ejections]).toEqual([{}, 0])
  })
})

describe('the roster', () => {
  const view = (id: string, more: object) => ({ id, pool: 'p', state: 'suspect', ...more }) as Parameters<typeof rosterOf>[1][number]

  it('hands out ejected nodes last of all, and none that hangs', () => {
    const doubted = view('doubted', {})
    const ejected = view('ejected', { ejected: 1 })
    const hung = view('hung', { ejected: 1, lost: 'it hangs' })
    const ids = (...views: Parameters<typeof rosterOf>[1]): string[] =>
      rosterOf(1, views, new Set())
        .routable('p')
        .map(({ id }) => id)
    expect(ids(doubted, ejected, hung, view('ready', { state: 'ready' }))).toEqual(['ready'])
    expect(ids(doubted, ejected, hung)).toEqual(['doubted'])
    expect(ids(ejected, hung)).toEqual(['ejected'])
    expect(ids(hung)).toEqual([])
  })
})
