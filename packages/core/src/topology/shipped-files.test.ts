import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { resolveText } from './catalogue.test.fixture.js'
import { schemaJson } from './schema-json.js'
import { topologySchema } from './schema.js'

const root = new URL('../../../../', import.meta.url)
const read = (path: string) => readFile(new URL(path, root), 'utf8')

describe('the schema that ships', () => {
  it('is what schema.ts says today (npm run docs writes it)', async () => {
    expect(await read('packages/core/lb.schema.json')).toBe(schemaJson())
  })

  it('describes every key', () => {
    const silent: string[] = []
    const visit = (schema: object, path: string) => {
      const { description, properties, items, anyOf, additionalProperties } = schema as Readonly<Record<string, unknown>>
      if (typeof description !== 'string') silent.push(path)
      for (const [key, value] of Object.entries(properties ?? {})) visit(value as object, `${path}.${key}`)
      for (const value of (anyOf as object[] | undefined) ?? []) visit(value, `${path}|`)
      for (const value of [items, additionalProperties]) if (typeof value === 'object' && value !== null) visit(value, `${path}[]`)
    }
    visit(topologySchema, '')
    expect(silent).toEqual([])
  })

  it('stands in docs/reference/topology.md (npm run docs writes it)', async () => {
    const script = new URL('scripts/docs/topology-reference.js', root).href
    const { topologyReference } = (await import(script)) as { topologyReference: (schema: unknown) => string }
    expect(await read('docs/reference/topology.md')).toBe(topologyReference(JSON.parse(schemaJson())))
  })
})

describe('every template of lb init', async () => {
  const names = await readdir(new URL('templates/topology', root))

  it('is one of the promised ones', () => {
    expect(names.toSorted()).toEqual(['llamacpp', 'mixed', 'ollama', 'sim', 'ssh-hosts', 'vllm'])
  })

  it.each(names)('%s resolves without a change, and its first line is for the editor', async (name) => {
    const text = await read(`templates/topology/${name}/lb.yaml`)
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=__SCHEMA__')
    expect((await resolveText(text)).pools.length).toBeGreaterThan(0)
  })
})
