import assert from 'node:assert/strict'
import { isAbsolute } from 'node:path'
import type { Backend } from '@plimsoll/core/plugin'
import { startSilentServer } from './bad-servers.js'
import type { ContractRule } from './contract.js'
import { outcomeOf, type Outcome } from './outcome.js'
import { recordingHost } from './plugin-hosts.js'
import type { Workbench } from './workbench.js'

const PIN_KEYS = ['settings', 'weights', 'model']

/** What weights a backend says it has, and how it is held to them: told the same twice, in shape, without starting or fetching anything. */
export function contentRules(bench: Workbench): readonly ContractRule[] {
  const { content, contentHash, weightsThere, pin, toFetch } = bench.attached('http://127.0.0.1:1')
  const rules: readonly (ContractRule | undefined)[] = [
    content === undefined ? undefined : sameRule(bench),
    content === undefined ? undefined : silentRule(bench),
    contentHash === undefined ? undefined : hashRule(bench),
    weightsThere === undefined ? undefined : placeRule(bench),
    pin === undefined ? undefined : pinRule(bench),
    toFetch === undefined ? undefined : fetchRule(bench),
  ]
  return rules.filter((rule) => rule !== undefined)
}

function sameRule(bench: Workbench): ContractRule {
  return {
    title: 'its content is told in one short line, and the same twice',
    async run() {
      const server = await bench.subject.ready()
      try {
        for (const backend of [bench.attached(server.url), await bench.launched(server.url)]) {
          const first = await told(backend)
          assert.deepEqual(await told(backend), first, 'the same weights were told to be others')
          if ('value' in first && first.value !== undefined) assert.match(first.value, /^[a-z][a-z0-9-]*:[^\s]{1,180}$/)
        }
      } finally {
        await server.close()
      }
    },
  }
}

function told(backend: Backend): Promise<Outcome<string | undefined>> {
  return outcomeOf('content', async () => backend.content?.(AbortSignal.timeout(5000)), 6000)
}

function silentRule(bench: Workbench): ContractRule {
  return {
    title: 'its content ends when its signal says so',
    async run() {
      const server = await startSilentServer()
      try {
        const ask = async () => bench.attached(server.url).content?.(AbortSignal.timeout(200))
        const outcome = await outcomeOf('content', ask, 3000)
        assert.ok(!('value' in outcome) || outcome.value === undefined, 'content knew an answer that nobody gave')
      } finally {
        await server.close()
      }
    },
  }
}

function hashRule(bench: Workbench): ContractRule {
  return {
    title: 'its hash of the content is a SHA-256 or nothing, and ends when its signal says so',
    async run() {
      const backend = await bench.launched(undefined, recordingHost())
      const outcome = await outcomeOf('contentHash', async () => backend.contentHash?.(AbortSignal.abort()), 3000)
      if ('value' in outcome && outcome.value !== undefined) assert.match(outcome.value, /^sha256:[0-9a-f]{64}$/)
    },
  }
}

function placeRule(bench: Workbench): ContractRule {
  return {
    title: 'it says where its weights lie on another machine without looking anywhere, the same twice and in known words',
    async run() {
      const host = recordingHost()
      const backend = await bench.launched(undefined, host)
      const place = backend.weightsThere?.()
      assert.deepEqual(backend.weightsThere?.(), place)
      assert.deepEqual(host.calls, [])
      if (place?.kind === 'files') assert.ok(place.paths.every(isAbsolute), 'a file over there has no absolute path')
      else if (place?.kind === 'folder') assert.ok(isAbsolute(place.folder) && place.endings.every((ending) => /^\w+$/.test(ending)))
      else if (place?.kind === 'hub') assert.match(`${place.repo} ${place.revision}`, /^[\w./-]+ [\w./-]+$/)
      else assert.equal(place, undefined, 'a place has no such kind')
    },
  }
}

function pinRule(bench: Workbench): ContractRule {
  return {
    title: 'it is held to its content in known words, the same twice, and to no other',
    async run() {
      const backend = await bench.launched(undefined, recordingHost())
      for (const content of [`sha256:${'a'.repeat(64)}`, `commit:${'b'.repeat(40)}`, 'nothing:at-all']) {
        const pin = backend.pin?.(content)
        assert.deepEqual(backend.pin?.(content), pin)
        for (const key of Object.keys(pin ?? {})) assert.ok(PIN_KEYS.includes(key), `a pin has no ${key}`)
      }
      assert.equal(backend.pin?.('nothing:at-all'), undefined, 'it is held to a content that it never told')
    },
  }
}

function fetchRule(bench: Workbench): ContractRule {
  return {
    title: 'what it would have to fetch it knows without asking anybody',
    async run() {
      const host = recordingHost()
      const backend = await bench.launched(undefined, host)
      const missing = await backend.toFetch?.(AbortSignal.timeout(1000))
      if (missing !== undefined) assert.match(missing, /^[^\s]{1,500}$/)
      assert.deepEqual(host.calls, [])
    },
  }
}
