import assert from 'node:assert/strict'
import type { Backend, PreflightFinding } from '@plimsoll/core/plugin'
import { badServers, startSilentServer } from './bad-servers.js'
import { checkedFacts } from './checked-facts.js'
import type { ContractRule } from './contract.js'
import { outcomeOf } from './outcome.js'
import { recordingHost } from './plugin-hosts.js'
import type { Workbench } from './workbench.js'

interface Question {
  readonly name: string
  readonly ask: (backend: Backend, signal: AbortSignal) => Promise<unknown>
}

/** What core asks of a running engine beside its health; each is optional, each may fail, none may hang or lie. */
export function questionRules(bench: Workbench): readonly ContractRule[] {
  const backend = bench.attached('http://127.0.0.1:1')
  const questions: Question[] = [
    ...(backend.load === undefined
      ? []
      : [{ name: 'load', ask: async (each: Backend, signal: AbortSignal) => checkedFacts(await each.load?.(signal)) }]),
    ...(backend.drain === undefined
      ? []
      : [
          {
            name: 'drain',
            ask: async (each: Backend, signal: AbortSignal) => assert.equal(typeof (await each.drain?.isEmpty(signal)), 'boolean'),
          },
        ]),
    ...(backend.models?.list === undefined
      ? []
      : [
          {
            name: 'models',
            ask: async (each: Backend, signal: AbortSignal) => assert.ok(Array.isArray(await each.models?.list?.(signal))),
          },
        ]),
  ]
  return [...questions.flatMap((question) => rulesOf(bench, question)), ...preflightRules(bench), ...eventRules(bench, backend)]
}

function rulesOf(bench: Workbench, { name, ask }: Question): readonly ContractRule[] {
  return [
    {
      title: `${name}: a ready engine is asked in vain or answers in shape`,
      async run() {
        const server = await bench.subject.ready()
        try {
          await outcomeOf(name, () => ask(bench.attached(server.url), AbortSignal.timeout(5000)))
        } finally {
          await server.close()
        }
      },
    },
    {
      title: `${name}: odd answers are an error or left out, never nonsense`,
      async run() {
        for (const bad of badServers()) {
          const server = await bad.start()
          try {
            await outcomeOf(`${name} at ${bad.name}`, () => ask(bench.attached(server.url), AbortSignal.timeout(5000)))
          } finally {
            await server.close()
          }
        }
      },
    },
    {
      title: `${name}: it ends when its signal says so`,
      async run() {
        const server = await startSilentServer()
        try {
          const outcome = await outcomeOf(name, () => ask(bench.attached(server.url), AbortSignal.timeout(200)), 3000)
          assert.ok('error' in outcome || name === 'load', `${name} knew an answer that nobody gave`)
        } finally {
          await server.close()
        }
      },
    },
  ]
}

function preflightRules(bench: Workbench): readonly ContractRule[] {
  if (!bench.plugin.canLaunch) return []
  return [
    {
      title: 'its preflight, where it has one, is quick and finds in full sentences',
      async run() {
        const backend = await bench.launched(undefined, recordingHost())
        if (backend.preflight === undefined) return
        const outcome = await outcomeOf('preflight', () => backend.preflight?.(AbortSignal.timeout(5000)) ?? Promise.resolve([]), 6000)
        for (const finding of 'value' in outcome ? outcome.value : []) checkedFinding(finding)
      },
    },
  ]
}

function checkedFinding(finding: PreflightFinding): void {
  assert.ok(finding.severity === 'error' || finding.severity === 'warning')
  assert.match(finding.message, /^[^\n]+$/)
  assert.match(finding.hint, /\S/)
}

function eventRules(bench: Workbench, { cacheEvents }: Backend): readonly ContractRule[] {
  if (cacheEvents === undefined) return []
  return [
    {
      title: 'its cache events end when their signal says so',
      async run() {
        const events = bench.attached('http://127.0.0.1:1').cacheEvents?.(AbortSignal.timeout(100))
        await outcomeOf(
          'cacheEvents',
          async () => {
            for await (const event of events ?? []) assert.ok(['stored', 'removed', 'cleared'].includes(event.kind))
          },
          5000,
        )
      },
    },
  ]
}
