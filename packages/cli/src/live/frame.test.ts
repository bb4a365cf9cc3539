import { describe, expect, it } from 'vitest'
import { glyphsFor, lineWidth, plainText } from '../views/board/index.js'
import {
  sampleNode,
  samplePool,
  sampleRollout,
  sampleStatus,
  SAMPLE_AT_MS,
  SAMPLE_EVENTS,
} from '../views/board/sample-status.test.fixture.js'
import { frameLines, type FrameSize } from './frame.js'
import { initialView, withSelection, type ViewState } from './view-state.js'

const UTF8 = glyphsFor({ LANG: 'C.UTF-8' })
const CURL = `curl http://127.0.0.1:8484/v1/chat/completions -d '{"model":"qwen3-4b","messages":[{"role":"user","content":"hi"}]}'`

function view(facts: Partial<ViewState> = {}): ViewState {
  return withSelection({ ...initialView('up', CURL, SAMPLE_AT_MS), status: sampleStatus(), events: SAMPLE_EVENTS, ...facts })
}

function textOf(state: ViewState, size: FrameSize = { columns: 100, rows: 30 }): string[] {
  return frameLines(state, size, UTF8).map((line) => plainText(line).trimEnd())
}

describe('the frame', () => {
  it('fills the screen exactly at every size', () => {
    const panes = ['events', 'details', 'logs', 'why', 'help'] as const
    for (let columns = 20; columns <= 130; columns += 5) {
      for (let rows = 3; rows <= 45; rows += 3) {
        for (const pane of panes) {
          const lines = frameLines(view({ pane }), { columns, rows }, UTF8)
          expect(lines).toHaveLength(Math.max(rows, 3))
          expect(Math.max(...lines.map(lineWidth))).toBeLessThanOrEqual(columns)
        }
      }
    }
  })

  it('shows URL and the whole request on the first frame', () => {
    const lines = textOf(view(), { columns: 130, rows: 24 })
    expect(lines[0]).toContain('http://127.0.0.1:8484')
    expect(lines).toContain(CURL)
  })

  it('shows the newest events and the keys', () => {
    const lines = textOf(view())
    expect(lines).toContain(' 14:02:18  ◐ chat/laptop draining: asked by you')
    expect(lines).toContain(' 14:01:55  ✕ chat/gpu-3  the process ended with code 137')
    expect(lines.at(-1)).toBe(' ↑↓ select  enter details  d drain  u resume  r restart  l logs  w why  / filter  ? help  q quit')
  })

  it('keeps a rollout in sight beside any number of nodes, at every size', () => {
    const nodes = Array.from({ length: 40 }, (_, index) => sampleNode(`chat/gpu-${index}`))
    const status = sampleStatus({ pools: [samplePool('chat', nodes, { rollout: sampleRollout() })] })
    for (let columns = 20; columns <= 130; columns += 5) {
      for (let rows = 3; rows <= 45; rows += 3) {
        const lines = frameLines(view({ status }), { columns, rows }, UTF8)
        expect(lines).toHaveLength(rows)
        expect(Math.max(...lines.map(lineWidth))).toBeLessThanOrEqual(columns)
        if (rows >= 12) expect(lines.some((line) => plainText(line).startsWith(' rollout chat'))).toBe(true)
      }
    }
    const lines = textOf(view({ status, filter: 'no such' }), { columns: 120, rows: 30 })
    expect(lines.some((line) => line.includes('step 2 of 4, 41 s left'))).toBe(true)
    expect(textOf(view({ status })).at(-1)).toMatch(/^ p pause {2}P promote {2}A abort /)
  })

  it('always tells the way out', () => {
    expect(textOf(view(), { columns: 40, rows: 24 }).at(-1)).toMatch(/\? help {2}q quit$/)
  })

  it('keeps the selected node in sight and counts what is hidden', () => {
    const nodes = Array.from({ length: 40 }, (_, index) => sampleNode(`big/n-${index}`))
    const lines = textOf(view({ status: sampleStatus({ pools: [samplePool('big', nodes)] }), selected: 'big/n-30' }))
    expect(lines.some((line) => line.startsWith(' ▸ n-30'))).toBe(true)
    expect(lines.filter((line) => / \d+ more ─/.test(line))).toHaveLength(2)
  })

  it('says since when the balancer does not answer and keeps the last picture', () => {
    const lines = textOf(view({ lost: { sinceMs: SAMPLE_AT_MS, reason: 'ECONNREFUSED' } }))
    expect(lines[0]).toContain('✕ does not answer, since 14:02:31')
    expect(lines.some((line) => line.includes('gpu-0'))).toBe(true)
    expect(lines.at(-1)).toContain('still trying')
  })

  it('never cuts a question', () => {
    const consequence = 'Restart chat/gpu-0? 14 requests in flight end first; 1 other ready node takes its share.'
    const lines = textOf(view({ prompt: { kind: 'confirm', wanted: { kind: 'restart', nodeId: 'chat/gpu-0' }, consequence } }), {
      columns: 40,
      rows: 20,
    })
    expect(lines.slice(-3).join('').replace(/\s+/g, ' ')).toBe(` ${consequence} y/N`)
  })

  it('says what the filter left', () => {
    expect(textOf(view({ filter: 'nothing-like-this' }))).toContain(' no node matches nothing-like-this   Esc shows all')
  })

  it('lists everything known of the selected node', () => {
    const text = textOf(view({ pane: 'details', selected: 'chat/gpu-3' })).join('\n')
    expect(text).toMatch(/state +failed since 14:01:31/)
    expect(text).toMatch(/reason +the process ended with code 137; next start in 8 s/)
  })

  it('tells a long reason whole, the last words of an engine, and what a running one says of its load', () => {
    const reason = 'exited with code 1: the memory of its GPU is full; give it another GPU, a smaller context or a smaller quantisation'
    const failed = sampleNode('chat/x', { state: 'failed', reason, lastLines: ['loading shard 3', 'CUDA out of memory'] })
    const unknown = { kvBlocks: null, kvBlockTokens: null, loadedModels: null, asleep: null, expertImbalance: null }
    const load = {
      ...unknown,
      ageMs: 20_000,
      running: 3,
      waiting: 1,
      slots: 8,
      kvUsedRatio: 0.42,
      promptTokens: 100,
      cachedTokens: 25,
      contextTokens: 8192,
      adapters: ['law'],
    }
    const busy = sampleNode('chat/y', { adopted: true, load })
    const status = sampleStatus({ pools: [samplePool('chat', [failed, busy])] })
    const detailsOf = (selected: string): string => textOf(view({ status, pane: 'details', selected })).join('\n')
    const words = detailsOf('chat/x').replaceAll(/\s+/g, ' ')
    for (const part of ['smaller quantisation', 'last words loading shard 3 CUDA out of memory']) expect(words).toContain(part)
    expect(detailsOf('chat/y')).toMatch(/it says +3 running of 8, 1 waiting, KV 42 %, 25 % of prompts cached, context 8\.2k \(20 s ago\)/)
    expect(detailsOf('chat/y')).toContain('taken over from an earlier lb')
    expect(detailsOf('chat/y')).toMatch(/adapters +law/)
  })

  it('shows the end of the log, newest last', () => {
    const log = { nodeId: 'chat/gpu-0', lines: Array.from({ length: 90 }, (_, index) => `line ${index}`) }
    const lines = textOf(view({ pane: 'logs', log }))
    expect(lines.filter((line) => line !== '').at(-2)).toBe(' line 89')
    expect(textOf(view({ pane: 'logs', log: { ...log, lines: [], problem: 'no such file' } }))).toContain(' no such file')
  })
})
