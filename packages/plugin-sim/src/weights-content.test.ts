import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { simDefaults } from './settings.js'
import { weightsContent } from './weights-content.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-sim-'))
afterAll(() => rmSync(folder, { recursive: true }))

const contentOf = (more: { seed?: number; loadMs?: number } = {}, weights?: string) =>
  weightsContent({
    id: 'a/b',
    url: 'http://127.0.0.1:1',
    models: ['m'],
    settings: { ...simDefaults, ...more },
    ...(weights === undefined ? {} : { weights }),
  })

describe('the content of simulated weights', () => {
  it('is what answers come from, and nothing else', async () => {
    const content = await contentOf()
    expect(content).toMatch(/^sim:[0-9a-f]{16}$/)
    expect(await contentOf({ loadMs: 500 })).toBe(content)
    expect(await contentOf({ seed: 1 })).not.toBe(content)
    expect(await contentOf({}, 'other')).not.toBe(content)
  })

  it('changes with the file that launch.model names', async () => {
    const file = join(folder, 'weights')
    writeFileSync(file, 'one')
    const before = await contentOf({}, file)
    expect(await contentOf({}, file)).toBe(before)
    writeFileSync(file, 'two')
    expect(await contentOf({}, file)).not.toBe(before)
  })

  it('is not known of one that somebody else runs', async () => {
    expect(await weightsContent({ id: 'a/b', url: 'http://127.0.0.1:1', models: ['m'], settings: {} })).toBeUndefined()
  })
})
