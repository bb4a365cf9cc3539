import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { NodeState } from '../contracts/index.js'
import { Node, type NodeChange } from './node.js'
import { nodePlan } from './fleet.test.fixture.js'
import { transitions, type NodeEvent } from './transitions.js'

const states = Object.keys(transitions) as NodeState[]
const movesOf = (state: NodeState) => Object.entries(transitions[state]) as [NodeEvent, NodeState][]

/** The shortest way from `declared` to each state, by the table alone. */
function pathTo(goal: NodeState): NodeEvent[] {
  const ways = new Map<NodeState, NodeEvent[]>([['declared', []]])
  for (const [state, way] of ways) for (const [event, next] of movesOf(state)) if (!ways.has(next)) ways.set(next, [...way, event])
  const way = ways.get(goal)
  if (way === undefined) throw new Error(`${goal} cannot be reached`)
  return way
}

function nodeIn(state: NodeState, changes: NodeChange[] = []): Node {
  const node = new Node(0, nodePlan(), new FakeClock(), (change) => changes.push(change))
  for (const event of pathTo(state)) node.move(event)
  return node
}

describe('the table of transitions', () => {
  it.each(states)('does from %s what it lists, and calls the rest a bug', (state) => {
    for (const event of ['start', 'loading', 'good', 'steady', 'bad', 'fail', 'drain', 'resume', 'sleep', 'stop'] as const) {
      const node = nodeIn(state)
      const next = transitions[state][event]
      if (next === undefined) expect(() => node.move(event)).toThrow(expect.objectContaining({ code: 'LB_BUG' }))
      else {
        node.move(event)
        expect(node.state).toBe(next)
      }
    }
  })

  it('can stop, drain and survive a failure from every state', () => {
    for (const state of states) for (const event of ['stop', 'drain', 'fail'] as const) expect(transitions[state][event]).toBeDefined()
  })

  it('lets no verdict fill a node again that is being emptied', () => {
    for (const event of ['loading', 'good', 'steady', 'bad'] as const) expect(transitions.draining[event]).toBe('draining')
  })
})

describe('a node', () => {
  it('announces changes of state and of reason, and nothing else', () => {
    const changes: NodeChange[] = []
    const node = nodeIn('ready', changes)
    changes.length = 0
    node.move('steady')
    node.move('bad', 'does not answer')
    node.move('bad', 'does not answer')
    node.move('bad', 'answers 500')
    node.move('steady')
    expect(changes.map(({ from, to, reason }) => `${from} ${to} ${reason}`)).toEqual([
      'ready suspect does not answer',
      'suspect suspect answers 500',
      'suspect ready null',
    ])
  })
})
