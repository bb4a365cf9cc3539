import { describe, expect, it } from 'vitest'
import { sampleNode, samplePool, sampleRollout, sampleStatus, SAMPLE_AT_MS } from '../views/board/sample-status.test.fixture.js'
import { pressKey, type KeyPress, type KeyResult } from './keymap.js'
import type { LiveMode } from './live-client.js'
import { initialView, withSelection, type ViewState } from './view-state.js'

function view(facts: Partial<ViewState> = {}, mode: LiveMode = 'up'): ViewState {
  return withSelection({ ...initialView(mode, 'curl x', SAMPLE_AT_MS), status: sampleStatus(), ...facts })
}

/** Presses one key after the other; the effect is the last key's. */
function press(state: ViewState, ...keys: (string | KeyPress)[]): KeyResult {
  let result: KeyResult = { state }
  for (const key of keys) result = typeof key === 'string' ? pressKey(result.state, key, {}) : pressKey(result.state, '', key)
  return result
}

const ctrlC = (state: ViewState): KeyResult => pressKey(state, 'c', { ctrl: true })
const [UP, DOWN, END, ENTER, ESC, BACK]: KeyPress[] = [
  { upArrow: true },
  { downArrow: true },
  { end: true },
  { return: true },
  { escape: true },
  { backspace: true },
]

describe('selection', () => {
  it('moves in the order of the screen and stops at the ends', () => {
    expect(press(view(), DOWN ?? {}).state.selected).toBe('chat/gpu-1')
    expect(press(view(), UP ?? {}).state.selected).toBe('chat/gpu-0')
    expect(press(view(), END ?? {}, DOWN ?? {}).state.selected).toBe('embed/cpu-0')
  })

  it('goes to the first node when the selected one is gone', () => {
    expect(withSelection(view({ selected: 'chat/away' })).selected).toBe('chat/gpu-0')
  })
})

describe('node keys', () => {
  it('drains and resumes at once', () => {
    expect(press(view(), 'd').effect).toEqual({ kind: 'drain', nodeId: 'chat/gpu-0' })
    expect(press(view(), 'u').effect).toEqual({ kind: 'resume', nodeId: 'chat/gpu-0' })
  })

  it('asks before a restart and tells what it does', () => {
    const asked = press(view(), 'r')
    expect(asked.effect).toBeUndefined()
    expect(asked.state.prompt).toMatchObject({
      consequence: 'Restart chat/gpu-0? 14 requests in flight end first; 1 other ready node takes its share.',
    })
    expect(press(asked.state, 'y').effect).toEqual({ kind: 'restart', nodeId: 'chat/gpu-0' })
  })

  it('takes every other answer as no', () => {
    for (const answer of ['n', 'x', ENTER ?? {}, ESC ?? {}]) {
      const { state, effect } = press(view(), 'r', answer)
      expect([effect, state.prompt]).toEqual([undefined, undefined])
    }
  })

  it('asks before the last ready node of a pool is drained', () => {
    const status = sampleStatus({ pools: [samplePool('demo', [sampleNode('demo/sim', { inFlight: 0 })])] })
    expect(press(view({ status }), 'd').state.prompt).toMatchObject({
      consequence: 'Drain demo/sim? no other node of its pool is ready: new requests will fail until one is.',
    })
  })
})

describe('rollout keys', () => {
  const [chat, embed] = sampleStatus().pools
  const rolling = (...rollouts: ReturnType<typeof sampleRollout>[]): ViewState => {
    const pools = [chat, embed].flatMap((pool) => {
      const rollout = rollouts.find((each) => each.pool === pool?.name)
      return pool === undefined ? [] : [{ ...pool, ...(rollout === undefined ? {} : { rollout }) }]
    })
    return view({ status: sampleStatus({ pools }) })
  }

  it('pause and go on at once', () => {
    expect(press(rolling(sampleRollout()), 'p').effect).toEqual({ kind: 'rollout', pool: 'chat', verb: 'pause' })
    for (const phase of ['paused', 'asking'] as const)
      expect(press(rolling(sampleRollout({ phase })), 'p').effect).toEqual({ kind: 'rollout', pool: 'chat', verb: 'resume' })
  })

  it('promote and abort after a question that tells what it means', () => {
    const promoted = press(rolling(sampleRollout()), 'P')
    expect([promoted.effect, promoted.state.prompt]).toMatchObject([
      undefined,
      {
        consequence:
          'Promote r2 of chat now? It takes all traffic from r1, and nothing watches it on the way; the judge says: healthy so far.',
      },
    ])
    expect(press(promoted.state, 'y').effect).toEqual({ kind: 'rollout', pool: 'chat', verb: 'promote' })
    expect(press(rolling(sampleRollout({ judge: null })), 'P').state.prompt).toMatchObject({
      consequence: expect.stringMatching(/; nothing was judged yet\.$/) as string,
    })
    const aborted = press(rolling(sampleRollout({ to: { ...sampleRollout().to, nodes: ['chat/gpu-0'] } })), 'A')
    expect(aborted.state.prompt).toMatchObject({
      consequence: 'Abort qwen3-4b a31f -> 9c02 in chat? r1 takes all its traffic again; 14 in flight at r2 end first.',
    })
    expect(press(aborted.state, 'n')).toMatchObject({ state: {} })
    expect(press(aborted.state, 'y').effect).toEqual({ kind: 'rollout', pool: 'chat', verb: 'abort' })
  })

  it('mean the pool of the selected node, or the only rollout', () => {
    const both = rolling(sampleRollout(), sampleRollout({ pool: 'embed' }))
    expect(press(both, END ?? {}, 'p').effect).toMatchObject({ pool: 'embed' })
    expect(press(rolling(sampleRollout({ pool: 'embed' })), 'p').effect).toMatchObject({ pool: 'embed' })
  })

  it('say so where none runs', () => {
    for (const state of [view(), rolling(sampleRollout({ phase: 'promoted', endedAtMs: SAMPLE_AT_MS }))])
      expect(press(state, 'A')).toMatchObject({ state: { notice: { text: 'no rollout runs' } } })
  })
})

describe('filter', () => {
  it('narrows while typing and is cleared by escape', () => {
    const typed = press(view(), '/', 'l', 'a', 'x', BACK ?? {}, 'p')
    expect([typed.state.filter, typed.state.selected]).toEqual(['lap', 'chat/laptop'])
    expect(press(typed.state, ENTER ?? {}).state).toMatchObject({ filter: 'lap' })
    expect(press(typed.state, ESC ?? {}).state).toMatchObject({ filter: '' })
  })

  it('takes keys as text, q included', () => {
    expect(press(view(), '/', 'q').state.filter).toBe('q')
  })
})

describe('panes', () => {
  it('open and close with the same key', () => {
    expect(press(view(), ENTER ?? {}).state.pane).toBe('details')
    expect(press(view(), '?', '?').state.pane).toBe('events')
    expect(press(view(), 'l')).toMatchObject({ state: { pane: 'logs' }, effect: { kind: 'tail' } })
    expect(press(view(), 'w')).toMatchObject({ state: { pane: 'why' }, effect: { kind: 'why' } })
    expect(press(view(), 'w', DOWN ?? {})).toMatchObject({ state: { pane: 'why', selected: 'chat/gpu-1' }, effect: { kind: 'why' } })
    expect(press(view(), 'w', 'w').state.pane).toBe('events')
    expect(press(view(), 'c').state.showCurl).toBe(false)
  })
})

describe('leaving', () => {
  it('asks in `lb up` whether to stop or to leave', () => {
    expect(press(view(), 'q', 's')).toMatchObject({ state: { stopping: 'draining' }, effect: { kind: 'stop', force: false } })
    expect(press(view(), 'q', 'l').effect).toEqual({ kind: 'leave' })
    expect(press(view(), 'q', ESC ?? {}).state.prompt).toBeUndefined()
  })

  it('stops at the second Ctrl-C and forces at the third', () => {
    const first = ctrlC(view())
    expect([first.effect, first.state.prompt]).toEqual([undefined, { kind: 'quit' }])
    const second = ctrlC(first.state)
    expect(second.effect).toEqual({ kind: 'stop', force: false })
    expect(ctrlC(second.state).effect).toEqual({ kind: 'stop', force: true })
  })

  it('just leaves in `lb top`', () => {
    expect(press(view({}, 'top'), 'q').effect).toEqual({ kind: 'leave' })
    expect(ctrlC(view({}, 'top')).effect).toEqual({ kind: 'leave' })
  })
})
