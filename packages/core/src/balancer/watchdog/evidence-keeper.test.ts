import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../contracts/index.js'
import { harmless } from './evidence.js'
import { EvidenceKeeper } from './evidence-keeper.js'

const root = mkdtempSync(join(tmpdir(), 'lb-evidence-'))
const folder = join(root, 'evidence')
afterEach(() => {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true })
})

function keeper(limits: { readonly mostFiles?: number; readonly mostBytes?: number } = {}) {
  const warned: unknown[] = []
  const log = { ...silentLogger, warn: (event: string, facts?: object) => void warned.push([event, facts]) }
  return { warned, evidence: new EvidenceKeeper({ folder, log, ...limits }) }
}

describe('the keeper of evidence', () => {
  it('writes a private file whose name tells when and which node', async () => {
    const { evidence } = keeper()
    const path = evidence.pathFor('chat/gpu-1', Date.UTC(2026, 10, 21, 15, 55, 12, 123))
    expect(path).toBe(join(folder, '20261121T155512123-chat-gpu-1.json'))
    await evidence.write(path, { why: 'no token' })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ why: 'no token' })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('keeps the newest only, and nothing that is not its own is touched', async () => {
    const { evidence } = keeper({ mostFiles: 3 })
    for (let at = 1; at <= 5; at += 1) await evidence.write(evidence.pathFor('p/n', at * 1_000), { at })
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    await evidence.write(evidence.pathFor('p/n', 6_000), { at: 6 })
    const kept = readdirSync(folder).filter((name) => name.endsWith('.json'))
    expect(
      kept.map((name) => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { at: number }).at).toSorted((a, b) => a - b),
    ).toEqual([4, 5, 6])
    expect(readdirSync(folder)).toContain('notes.txt')
  })

  it('hurts nothing where nothing can be written, and goes on where it can again', async () => {
    const { evidence, warned } = keeper()
    writeFileSync(folder, 'a file stands in the way')
    await evidence.write(evidence.pathFor('p/n', 1_000), {})
    expect(warned).toEqual([['evidence.not_kept', { file: evidence.pathFor('p/n', 1_000), error: expect.stringContaining('EEXIST') }]])
    rmSync(folder)
    await evidence.write(evidence.pathFor('p/n', 2_000), {})
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('keeps nothing that is too long, and leaves no draft', async () => {
    const { evidence, warned } = keeper({ mostBytes: 1_000 })
    await evidence.write(evidence.pathFor('p/n', 1_000), { text: 'x'.repeat(2_000) })
    expect(warned).toHaveLength(1)
    expect(readdirSync(root)).toEqual([])
  })
})

describe('a log line in evidence', () => {
  it('has no prompts, no keys and no control characters', () => {
    const prompt = 'tell me about the harbour at night, and about the people who work there'
    expect(harmless(`req-1: prompt: '${prompt}', params: x`)).not.toContain('harbour')
    expect(harmless(`{"prompt":"${prompt}`)).not.toContain('harbour')
    expect(harmless('using sk-1234567890abcdef now')).not.toContain('1234567890')
    expect(harmless('Authorization: Bearer abcdefgh')).not.toContain('abcdefgh')
    expect(harmless('HF_TOKEN=hf_abcdefghijkl')).not.toContain('abcdefghijkl')
    expect(harmless('\u001b[31mred\u0007')).toBe('[31mred')
    expect(harmless('x'.repeat(100_000))).toHaveLength(300)
  })

  it('keeps what explains', () => {
    const line = 'CUDA error: an illegal memory access was encountered at worker.py:120'
    expect(harmless(line)).toBe(line)
  })
})
