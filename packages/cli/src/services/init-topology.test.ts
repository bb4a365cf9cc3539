import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveTopology, createStrategyRegistry } from '@plimsoll/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineReport } from './detect-engines.js'
import { leftOut, proposals, writeTopology } from './init-topology.js'
import { readTemplate, templateNames } from './templates.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-init-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const report = (engine: string, detection: EngineReport['detection']): EngineReport => ({
  engine,
  packageName: 'p',
  packageVersion: '1',
  modulePath: '/x',
  canLaunch: false,
  summary: '',
  detection,
})

describe('a first topology', () => {
  it('has templates, each with the place of its schema filled in', () => {
    expect(templateNames()).toEqual(['llamacpp', 'mixed', 'ollama', 'sim', 'ssh-hosts', 'vllm'])
    for (const name of templateNames()) {
      expect(readTemplate(name).text).toMatch(/^# yaml-language-server: \$schema=file:\/\/\/.*lb\.schema\.json\n/)
      expect(readTemplate(name).summary).not.toMatch(/__SCHEMA__|schema=/)
    }
    expect(() => readTemplate('../sim')).toThrow(/no template/)
  })

  it('is proposed for what runs here, and is valid whatever the server called its models', async () => {
    const hostile = { found: true, url: 'http://127.0.0.1:1', models: ['a: "b"', '\u001b[2J#', '${HOME}'], detail: 'x\ny\u001b' }
    const [first, last] = proposals([report('alpha', hostile), report('beta', { found: false, detail: '' }), report('gamma', null)])
    expect(last?.name).toBe('sim')
    const topology = await resolveTopology(
      { kind: 'text', file: join(folder, 'lb.yaml'), shown: 'lb.yaml', format: 'yaml', text: first?.text ?? '' },
      { engines: new Map([['alpha', { settings: {}, canLaunch: false }]]), strategies: createStrategyRegistry().catalogue, env: {} },
    )
    expect(topology.pools[0]?.models).toEqual(hostile.models)
    expect(topology.pools[0]?.groups[0]?.attach?.url).toBe(hostile.url)
  })

  it('is proposed for what is installed with a model at hand, behind what runs', async () => {
    const idle = { found: true, models: ['big', 'small'], weights: '/m/${x}.gguf', detail: 'installed' }
    const reports = [
      { ...report('idle', idle), canLaunch: true },
      { ...report('bare', { found: true, models: ['a'], detail: '' }), canLaunch: true },
      { ...report('empty', { found: true, detail: '' }), canLaunch: true },
      report('attached-only', { found: true, models: ['a'], detail: '' }),
      report('running', { found: true, url: 'http://127.0.0.1:1', detail: '' }),
    ]
    const found = proposals(reports)
    expect(found.map(({ name }) => name)).toEqual(['running', 'idle', 'bare', 'sim'])
    const engines = new Map(['idle', 'bare'].map((name) => [name, { settings: {}, canLaunch: true }]))
    const read = (text = '') =>
      resolveTopology(
        { kind: 'text', file: join(folder, 'lb.yaml'), shown: 'lb.yaml', format: 'yaml', text },
        { engines, strategies: createStrategyRegistry().catalogue, env: {} },
      )
    expect((await read(found[1]?.text)).pools[0]).toMatchObject({ models: idle.models, groups: [{ launch: { model: idle.weights } }] })
    expect((await read(found[2]?.text)).pools[0]?.groups[0]?.launch?.model).toBeUndefined()
  })

  it('is not proposed for a server without models, which is named instead', () => {
    const reports = [
      report('empty', { found: true, url: 'http://127.0.0.1:1', models: [], detail: 'runs with 0 models' }),
      report('sim', { found: true, detail: 'comes with Plimsoll' }),
      report('gone', { found: false, detail: 'nowhere' }),
    ]
    expect(proposals(reports).map(({ name }) => name)).toEqual(['sim'])
    expect(leftOut(reports)).toEqual(['empty: runs with 0 models'])
  })

  it('names models that chat before those that do not', () => {
    const models = ['nomic-embed-text:latest', 'llama3.2:latest', 'bge-m3:latest', 'qwen3:4b']
    const [first] = proposals([report('alpha', { found: true, url: 'http://127.0.0.1:1', models, detail: '' })])
    expect(first?.text).toContain('models: ["llama3.2:latest", "qwen3:4b", "nomic-embed-text:latest", "bge-m3:latest"]')
  })

  it('never replaces a file unless told to', () => {
    writeFileSync(join(folder, 'lb.yaml'), 'mine')
    expect(() => writeTopology(folder, 'yours', { force: false })).toThrow(/left as it is/)
    expect(readFileSync(join(folder, 'lb.yaml'), 'utf8')).toBe('mine')
    writeTopology(folder, 'yours', { force: true })
    expect(readFileSync(join(folder, 'lb.yaml'), 'utf8')).toBe('yours')
  })
})
