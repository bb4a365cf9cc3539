import assert from 'node:assert/strict'
import type { ProbeReport } from '@plimsoll/core/plugin'
import { badServers, startSilentServer } from './bad-servers.js'
import type { ContractRule } from './contract.js'
import type { StartedServer } from './contract-subject.js'
import { outcomeOf } from './outcome.js'
import type { Workbench } from './workbench.js'

/** The probe: ready, loading and sick are values; it obeys its signal; whatever else answers at that address is never called ready. */
export function probeRules(bench: Workbench): readonly ContractRule[] {
  const { ready, loading, sick } = bench.subject
  const scripted: readonly (readonly [ProbeReport['verdict'], (() => Promise<StartedServer>) | undefined])[] = [
    ['ready', ready],
    ['loading', loading],
    ['sick', sick],
  ]
  return [
    ...scripted.flatMap(([verdict, start]) => (start === undefined ? [] : [verdictRule(bench, verdict, start)])),
    {
      title: 'a probe ends when its signal says so, and one that was aborted before asks nobody',
      async run() {
        const server = await startSilentServer()
        try {
          const backend = bench.attached(server.url)
          await outcomeOf('an aborted probe', () => backend.probe(AbortSignal.abort()), 2000)
          assert.deepEqual(server.requests, [])
          const { value } = (await outcomeOf('a probe of a silent server', () => backend.probe(AbortSignal.timeout(200)), 3000)) as {
            value?: ProbeReport
          }
          assert.notEqual(value?.verdict, 'ready')
        } finally {
          await server.close()
        }
      },
    },
    {
      title: 'a probe of an address where nobody listens is sick or an error that says so',
      async run() {
        const server = await startSilentServer()
        await server.close()
        const outcome = await outcomeOf('a probe of nobody', () => bench.attached(server.url).probe(AbortSignal.timeout(5000)))
        if ('value' in outcome) assert.equal(checked(outcome.value).verdict, 'sick')
      },
    },
    ...badServers().map(({ name, start }) => ({
      title: `a server that gives ${name} is not ready`,
      run: () =>
        using(start, async (url) => {
          const outcome = await outcomeOf(name, () => bench.attached(url).probe(AbortSignal.timeout(5000)))
          if ('value' in outcome) assert.notEqual(checked(outcome.value).verdict, 'ready')
        }),
    })),
  ]
}

function verdictRule(bench: Workbench, verdict: ProbeReport['verdict'], start: () => Promise<StartedServer>): ContractRule {
  return {
    title: `a probe of one that is ${verdict} says so, time after time`,
    run: () =>
      using(start, async (url) => {
        const backend = bench.attached(url)
        for (let count = 0; count < 3; count += 1) {
          const report = checked(await backend.probe(AbortSignal.timeout(5000)))
          assert.equal(report.verdict, verdict, JSON.stringify(report))
        }
      }),
  }
}

/** A report is for people: short, one line, with a reason where it is not ready. */
function checked(report: ProbeReport): ProbeReport {
  assert.ok(['ready', 'loading', 'sick'].includes(report.verdict), `a probe answered ${JSON.stringify(report)}`)
  if (report.verdict === 'ready') {
    for (const model of report.models ?? []) assert.equal(typeof model, 'string')
    return report
  }
  assert.match(report.reason, /^[^\n]{1,2000}$/, 'a reason is one line')
  if (report.verdict === 'loading' && report.progress !== undefined)
    assert.ok(report.progress >= 0 && report.progress <= 1, `progress ${report.progress}`)
  return report
}

async function using(start: () => Promise<StartedServer>, body: (url: string) => Promise<void>): Promise<void> {
  const server = await start()
  try {
    await body(server.url)
  } finally {
    await server.close()
  }
}
