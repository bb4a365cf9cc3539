import type { PoolStatus } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import { answerSummary, createAnswerPrinter } from './answer-text.js'
import { sampleNode, samplePool, sampleRollout, sampleStatus, SAMPLE_AT_MS } from './board/sample-status.test.fixture.js'
import { curlText } from './curl-text.js'
import { eventText } from './event-text.js'
import { logLineText } from './log-line-text.js'
import { planText } from './plan-text.js'
import { textTable } from './text-table.js'
import { homePath, upReport } from './up-report.js'

describe('textTable', () => {
  it('aligns words left and numbers right, and shows nothing as a dash', () => {
    expect(
      textTable(
        ['NODE', 'N', 'WHY'],
        [
          ['chat/größe', 7, null],
          ['日本', 120, 'x'],
        ],
      ),
    ).toBe('NODE          N  WHY\nchat/größe    7  -\n日本        120  x\n')
  })

  it('makes foreign cells safe', () => {
    expect(textTable(['A'], [['\u001b[31mred\nrow']])).toBe('A\n\\e[31mred\\nrow\n')
  })
})

describe('curlText', () => {
  it('is one line to copy', () => {
    expect(curlText('http://127.0.0.1:8484', { model: 'm' })).toBe(
      `curl http://127.0.0.1:8484/v1/chat/completions -d '{"model":"m","messages":[{"role":"user","content":"hi"}]}'`,
    )
  })

  it('names the key by its variable and reaches a unix socket', () => {
    expect(curlText('https://h:1', { model: 'm', certFile: "/it's.pem" })).toMatch(/^curl --cacert '\/it'\\''s\.pem' https:\/\/h:1\//)
    expect(curlText('http://h:1', { model: 'm', keyVariable: 'KEY' })).toContain('-H "authorization: Bearer $KEY"')
    expect(curlText('unix:/run/lb.sock', { model: "it's" })).toMatch(/^curl --unix-socket \/run\/lb\.sock .*it'\\''s/)
  })
})

describe('upReport', () => {
  it('tells address, nodes, what to try and what next', () => {
    const failed = sampleNode('chat/b', { state: 'failed', reason: 'exit code 1', version: null })
    const status = sampleStatus({ file: '/srv/lb.yaml', pools: [samplePool('chat', [sampleNode('chat/a'), failed])] })
    const text = upReport(status, { curl: 'curl x', detached: true })
    expect(text).toMatch(/topology lb\.yaml, 1 pool, 2 nodes/)
    expect(text).toMatch(/✓ chat\/a .*ready in /)
    expect(text).toMatch(/! chat\/b .*failed {2}exit code 1; lb keeps trying/)
    expect(text).toMatch(/try {3}curl x\n {2}then {2}lb top/)
  })
})

describe('upReport of a balancer that takes up what another was at', () => {
  it('says what became of a rollout, and what runs that no file declares', () => {
    const startedAtMs = SAMPLE_AT_MS - 5_000
    const events = [
      { atMs: SAMPLE_AT_MS - 90_000, message: 'canary: 1 new node' },
      { atMs: SAMPLE_AT_MS - 4_000, message: 'chat-4 resumes where the last balancer was: holding, stage 2 of 4' },
    ]
    const reportOf = (pool: Partial<PoolStatus>): string =>
      upReport(sampleStatus({ startedAtMs, pools: [samplePool('chat', [sampleNode('chat/gpu-r2-0', { revision: 'r2' })], pool)] }), {
        curl: 'curl x',
        detached: true,
      })
    expect(reportOf({ rollout: sampleRollout({ events }) })).toMatch(
      /· chat +chat-4 resumes where .* stage 2 of 4 {3}lb rollout watch chat\n/,
    )
    expect(reportOf({})).toMatch(/· chat +runs r2, which the topology file does not declare {3}lb rollout history chat\n/)
    expect(reportOf({ rollout: sampleRollout({ startedAtMs: SAMPLE_AT_MS - 1_000 }) })).not.toMatch(/· chat/)
  })
})

describe('one line', () => {
  it('of an event has time and message, made safe', () => {
    expect(eventText({ atMs: SAMPLE_AT_MS, kind: 'node', node: 'a/b', message: 'a/b is \u001breadied' })).toBe(
      '14:02:31  a/b is \\ereadied',
    )
  })

  it('of a log has its source, or is data', () => {
    expect(logLineText({ label: 'a/b', text: 'x\u001b[1m\ty' }, { json: false, width: 5 })).toBe('a/b   | x\\e[1m  y\n')
    expect(logLineText({ label: 'a/b', text: 'x' }, { json: true, width: 5 })).toBe('{"source":"a/b","text":"x"}\n')
  })

  it('of an answer tells node, latency, speed and size', () => {
    const answer = {
      model: 'm',
      node: 'demo/sim-1',
      requestId: 'r',
      attempts: 2,
      text: 'hi',
      finishReason: 'length',
      promptTokens: 3,
      completionTokens: 33,
      ttftMs: 12,
      totalMs: 812,
      tokensPerSecond: 41,
    }
    expect(answerSummary(answer)).toBe('demo/sim-1   TTFT 12 ms   41 tok/s   33 tokens in 812 ms   2 attempts   cut at the token limit')
  })
})

describe('an answer', () => {
  it('is made safe on a terminal and left alone in a pipe', () => {
    for (const isTTY of [true, false]) {
      let out = ''
      const stdout = { isTTY, write: (text: string) => (out += text) } as unknown as NodeJS.WriteStream
      const printer = createAnswerPrinter(stdout)
      printer.print('a\u001b[2J\nb')
      printer.end()
      expect(out).toBe(isTTY ? 'a\\e[2J\nb\n' : 'a\u001b[2J\nb\n')
    }
  })
})

describe('planText', () => {
  it('shows command lines that can be copied, and no secret', () => {
    const text = planText({
      name: 'demo',
      listen: [{ kind: 'tcp', host: '127.0.0.1', port: 8484 }],
      nodes: [
        {
          id: 'a/x',
          engine: 'sim',
          weight: 1,
          models: ['m'],
          how: 'launch',
          url: 'http://127.0.0.1:18400',
          command: ['node', 'a b', "c'd"],
          env: ['TOKEN'],
        },
        { id: 'a/y', engine: 'openai', weight: 1, models: ['m'], how: 'attach', url: 'http://h:1' },
      ],
      sources: [
        {
          pool: 'a',
          group: 'z',
          from: 'dns:m:1',
          members: 2,
          atMs: 1,
          error: undefined,
          failingSinceMs: undefined,
          notes: ['half of it is old'],
        },
        {
          pool: 'a',
          group: 'k',
          from: 'file:/m',
          members: 0,
          atMs: undefined,
          error: 'there is no such file',
          failingSinceMs: 1,
          notes: [],
        },
      ],
      warnings: [],
      tight: [],
      inherited: ['HOME', 'PATH'],
      findings: [{ node: 'a/x', severity: 'error', kind: 'model-gated', message: 'the model is gated', hint: 'accept its terms' }],
    })
    expect(text).toContain('~ a/z   members of dns:m:1   2 now; they join and leave while lb runs\n    half of it is old\n')
    expect(text).toContain('~ a/k   members of file:/m   cannot be asked from here: there is no such file\n')
    expect(text).toContain(`    node 'a b' 'c'\\''d'\n    with TOKEN in its environment`)
    expect(text).toContain('1 to launch, 1 to attach')
    expect(text).toContain('x a/x would not start: the model is gated; accept its terms\n')
    expect(text).toContain('launched engines inherit HOME, PATH\n')
  })
})

describe('homePath', () => {
  it('shortens only what lies in the home folder', () => {
    expect(homePath('/folks/me/x', '/folks/me')).toBe('~/x')
    expect(homePath('/folks/me2/x', '/folks/me')).toBe('/folks/me2/x')
  })
})
