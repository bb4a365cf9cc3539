/** Each rule is shown a plugin that breaks it, and must say so; a rule that cannot fail guards nothing. */
import type { Backend, EnginePlugin } from '@plimsoll/core/plugin'
import { openaiDialect, probeOpenAi } from '@plimsoll/core/plugin'
import { describe, expect, it } from 'vitest'
import { engineContract } from './contract.js'
import { startScriptedServer } from './scripted-server.js'

interface Settings {
  readonly speed: number
}

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: { speed: { type: 'integer', minimum: 1, default: 3 } },
} as const

const usual = openaiDialect()

function pluginWith(more: Partial<Backend> = {}, over: Partial<EnginePlugin<Settings>> = {}): EnginePlugin<Settings> {
  return {
    apiVersion: 1,
    engine: 'tiny',
    settings: schema,
    canLaunch: true,
    summary: 'a tiny engine for this test',
    detect: () => Promise.resolve({ found: false, detail: 'no tiny on PATH' }),
    createBackend: (spec, host) => ({
      launchPlan: (slot) => ({ command: 'tiny', args: ['--listen', `${slot.host}:${slot.port}`], env: {}, readyWithinMs: 1000 }),
      probe: (signal) => probeOpenAi(host, { url: spec.url, signal }),
      minProbeIntervalMs: 100,
      dialect: usual,
      ...more,
    }),
    ...over,
  }
}

const ready = () => startScriptedServer({ '/v1/models': [200, '{"data":[{"id":"model-a"}]}'] })

/** Titles of the rules that a plugin breaks, of those that are asked for. */
async function broken(plugin: EnginePlugin<Settings>, asked = /./): Promise<string[]> {
  const titles: string[] = []
  for (const { title, run } of engineContract(plugin, { ready }).filter((rule) => asked.test(rule.title))) {
    await run().catch(() => titles.push(title))
  }
  return titles
}

const launching = (plan: object): Partial<Backend> => ({
  launchPlan: (slot) => ({ command: 'tiny', args: [`--port=${slot.port}`], env: {}, readyWithinMs: 1000, ...plan }),
})

describe('the contract', () => {
  it('is kept by a plugin that does as it should', async () => {
    expect(await broken(pluginWith())).toEqual([])
  })

  let launches = 0
  it.each<[string, EnginePlugin<Settings>, RegExp]>([
    ['speaks another API', pluginWith({}, { apiVersion: 2 as never }), /which API/],
    [
      'has a settings schema that refuses its own defaults',
      pluginWith({}, { settings: { ...schema, required: ['colour'] } }),
      /settings schema works/,
    ],
    ['takes any setting', pluginWith({}, { settings: { type: 'object', additionalProperties: true } }), /nobody knows/],
    ['probes all the time', pluginWith({ minProbeIntervalMs: 0 }), /interval and stop steps/],
    ['stops by force', pluginWith({ stop: [{ signal: 'SIGKILL' as never, waitMs: 1 }] }), /interval and stop steps/],
    [
      'plans by luck',
      pluginWith({ launchPlan: () => ({ command: 'tiny', args: [String((launches += 1)), '18457'], env: {}, readyWithinMs: 1 }) }),
      /is pure: the same slot/,
    ],
    ['never gives up waiting', pluginWith(launching({ readyWithinMs: Infinity })), /with a patience/],
    ['listens for the whole network', pluginWith(launching({ env: { TINY_HOST: '0.0.0.0' } })), /on loopback alone/],
    ['takes a port of its own', pluginWith(launching({ args: ['--port=9000'] })), /on the port it was given/],
    ['calls whatever answers ready', pluginWith({ probe: () => Promise.resolve({ verdict: 'ready' }) }), /gives a web page is not ready/],
    ['throws words', pluginWith({ probe: () => Promise.reject('no') }), /a closed connection/],
    ['probes without its signal', pluginWith({ probe: () => new Promise(() => undefined) }), /ends when its signal says so/],
    ['makes up facts', pluginWith({ load: () => Promise.resolve({ kvUsedRatio: Number.NaN }) }), /load: odd answers/],
    ['speaks no face', pluginWith({ dialect: { ...usual, paths: {} } }), /start with a slash/],
    ['shouts header names', pluginWith({ dialect: { ...usual, headers: { strip: ['X-Loud'] } } }), /header names are lower-case/],
    ['invents a class', pluginWith({ dialect: { ...usual, classify: () => 'fine' as never } }), /classifies every status/],
    [
      'believes [DONE]',
      pluginWith({ dialect: { ...usual, streamEnd: (tail) => (tail.includes('[DONE]') ? 'complete' : 'cut') } }),
      /never a success/,
    ],
    ['fails at an odd log', pluginWith({ diagnose: (log) => JSON.parse(log) as never }), /reads any log/],
    ['makes up facts of a log', pluginWith({ loadFromLog: () => ({ running: -1 }) }), /reads any log/],
    [
      'guesses what can be collected',
      pluginWith({
        dialect: {
          ...usual,
          collect: {
            'openai-chat': { fits: () => 'yes' as never, chunkObject: 'c', textAt: 'text', template: '<text>', contentType: 'x' },
          },
        },
      }),
      /can be collected/,
    ],
    ['tells other weights each time', pluginWith({ content: () => Promise.resolve(`v:${(launches += 1)}`) }), /the same twice/],
    ['tells of weights in many words', pluginWith({ content: () => Promise.resolve('the usual ones') }), /one short line/],
    ['looks at weights for ever', pluginWith({ content: () => new Promise(() => undefined) }), /content ends when/],
    ['counts weights by another hash', pluginWith({ contentHash: () => Promise.resolve('md5:0') }), /SHA-256 or nothing/],
    ['is held to anything', pluginWith({ pin: (content) => ({ weights: content }) }), /to no other/],
    ['has weights nowhere', pluginWith({ weightsThere: () => ({ kind: 'files', paths: ['here.gguf'] }) }), /another machine/],
    ['fetches a list', pluginWith({ toFetch: () => Promise.resolve('one two') }), /without asking anybody/],
    ['looks for ever', pluginWith({}, { detect: () => new Promise(() => undefined) }), /within 2 s where nobody answers/],
  ])(
    'names a plugin that %s',
    async (_title, plugin, rule) => {
      expect(await broken(plugin, rule)).toContainEqual(expect.stringMatching(rule))
    },
    60_000,
  )

  it('sees a key on a command line', async () => {
    const plugin = pluginWith(
      {},
      {
        createBackend: (spec, host) => ({
          ...pluginWith().createBackend(spec, host),
          launchPlan: (slot) => ({
            command: 'tiny',
            args: [`--port=${slot.port}`, `--key=${spec.apiKey ?? ''}`],
            env: {},
            readyWithinMs: 1,
          }),
        }),
      },
    )
    expect(await broken(plugin)).toEqual(['no key is on its command line, nor in a variable that would be shown'])
  })

  it('sees a backend that asks before it is asked', async () => {
    const plugin = pluginWith(
      {},
      {
        createBackend: (spec, host) => {
          void host.get(spec.url, { signal: AbortSignal.timeout(10) }).catch(() => undefined)
          return pluginWith().createBackend(spec, host)
        },
      },
    )
    expect(await broken(plugin, /making a backend/)).toContain('making a backend asks nobody and takes no time')
  })
})
