import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../contracts/index.js'
import type { GroupPlan, LaunchSettings } from '../../topology/index.js'
import { RevisionStore } from './revision-store.js'

const group = (launch: Partial<LaunchSettings> = {}, more: Partial<GroupPlan> = {}): GroupPlan => ({
  name: 'gpu',
  engine: 'sim',
  weight: 1,
  launch: { replicas: 2, model: 'a', settings: { seed: 1 }, env: {}, restarts: { max: 5, withinMs: 1000 }, ...launch },
  ...more,
})

let folder: string
let running: readonly GroupPlan[]
let warnings: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-revisions-'))
  running = []
  warnings = []
})
afterEach(() => rmSync(folder, { recursive: true }))

let nowMs = 1000
const open = (stateDir = folder) => openAt(stateDir)
const openAt = (stateDir: string | undefined) =>
  new RevisionStore({
    stateDir,
    log: { ...silentLogger, warn: (event) => void warnings.push(event) },
    nowMs: () => (nowMs += 1),
    running: () => running,
  })

describe('revisions of a pool', () => {
  it('are numbered, and the same content is the same revision', () => {
    const store = open()
    expect(store.note('chat', group(), 'c:1').revision).toBe('r1')
    expect(store.note('chat', group({ settings: { seed: 2 } }), 'c:1').revision).toBe('r2')
    expect(store.note('chat', group(), 'c:1').revision).toBe('r1')
    expect(store.note('other', group(), 'c:1').revision).toBe('r1')
    expect(store.note('chat', group({}, { name: 'cpu' }), 'c:1').revision).toBe('r3')
    expect(store.of('chat').map(({ revision }) => revision)).toEqual(['r3', 'r2', 'r1'])
  })

  it('are others by what is launched, not by its name, number, weight or patience', () => {
    const store = open()
    const { hash } = store.note('chat', group(), null)
    expect(hash).toMatch(/^[0-9a-f]{8}$/)
    const same = [
      group({ replicas: 5, slots: [3] }),
      group({ readyWithinMs: 5, restarts: { max: 0, withinMs: 1 } }),
      group({}, { weight: 3, name: 'gpu-r9', revisionOf: 'gpu' }),
    ]
    for (const each of same) expect(store.note('chat', each, null).revision).toBe('r1')
    const others = [
      group({ env: { A: '1' } }),
      group({ model: 'b' }),
      group({ command: ['x'] }),
      group({}, { engine: 'other' }),
      group({}, { model: 'n' }),
    ]
    expect(others.map((each) => store.note('chat', each, null).revision)).toEqual(['r2', 'r3', 'r4', 'r5', 'r6'])
    expect(new Set(store.of('chat').map((each) => each.hash)).size).toBe(6)
  })

  it('are others by the content of weights of one name; what nobody could tell is learned later', () => {
    const store = open()
    expect(store.note('chat', group(), null)).toMatchObject({ revision: 'r1', content: null })
    expect(store.note('chat', group(), 'c:1')).toMatchObject({ revision: 'r1', content: 'c:1' })
    expect(store.note('chat', group(), 'c:2').revision).toBe('r2')
    expect(store.note('chat', group(), 'c:1').revision).toBe('r1')
  })

  it('keep the whole plan under the name of the declared group, byte for byte over a restart', () => {
    const plan = group({ slots: [1], env: { T: { env: 'T' } } }, { name: 'gpu-r1', revision: 'r1', revisionOf: 'gpu' })
    open().note('chat', plan, 'c:1')
    const again = open().find('chat', 'r1')
    const { slots: _slots, ...launch } = plan.launch!
    expect(again).toMatchObject({ revision: 'r1', pool: 'chat', group: 'gpu', content: 'c:1', launchHash: null, outcome: null })
    expect(again.plan).toEqual({ name: 'gpu', engine: 'sim', weight: 1, launch })
    open().learn('chat', 'r1', { launchHash: 'abc', outcome: 'promoted' })
    expect(open().find('chat', 'r1')).toMatchObject({ launchHash: 'abc', outcome: 'promoted' })
    expect(open().note('chat', group({ env: { T: { env: 'T' } } }), 'c:1').revision).toBe('r1')
  })

  it('that were at rest when they got their number come back awake', () => {
    const store = open()
    store.note('chat', group({}, { rests: true }), 'c:1')
    expect(store.find('chat', 'r1').plan).not.toHaveProperty('rests')
    expect(store.note('chat', group(), 'c:1').revision).toBe('r1')
  })

  it('name what is not there, with what is', () => {
    const store = open()
    store.note('chat', group(), null)
    expect(() => store.find('chat', 'r7')).toThrow(
      expect.objectContaining({ code: 'LB_NO_REVISION', httpStatus: 404, hint: expect.stringContaining('r1') }),
    )
  })

  it('are 50 at most, and those that run stay', () => {
    const store = open()
    for (let seed = 0; seed < 70; seed++) {
      store.note('chat', group({ settings: { seed } }), null)
      if (seed === 3) running = [group({ settings: { seed: 0 } }), group({ settings: { seed: 3 } }, { revision: 'r4', revisionOf: 'gpu' })]
    }
    const kept = open()
      .of('chat')
      .map(({ revision }) => revision)
    expect(kept).toHaveLength(50)
    expect(kept).toEqual(expect.arrayContaining(['r1', 'r4', 'r70']))
    expect(kept).not.toContain('r2')
    expect(store.note('chat', group({ settings: { seed: 100 } }), null).revision).toBe('r71')
  })

  it('are shown with those that run', () => {
    const store = open()
    store.note('chat', group(), 'c:1')
    store.note('chat', group({ model: 'b' }), 'c:2')
    running = [group({}, { revision: 'r1' })]
    expect(store.entries('chat')).toEqual([
      expect.objectContaining({ revision: 'r2', model: 'b', content: 'c:2', isRunning: false }),
      expect.objectContaining({ revision: 'r1', model: 'a', content: 'c:1', isRunning: true }),
    ])
    running = [group({ model: 'b' })]
    expect(store.entries('chat').map(({ isRunning }) => isRunning)).toEqual([true, false])
  })

  it.each([
    '',
    '{"v":1,"pools":{"chat":{"next":2,"revisi',
    '{"v":9}',
    '[]',
    'null',
    '{"v":1,"pools":{"chat":{"next":1,"revisions":[{}]}}}',
    '{"v":1,"pools":null}',
  ])('begin anew where their file is torn or foreign, which is put aside: %s', (text) => {
    writeFileSync(join(folder, 'revisions.json'), text)
    const store = open()
    expect(store.of('chat')).toEqual([])
    expect(warnings).toEqual(['revisions.started_anew'])
    expect(readFileSync(join(folder, 'revisions.json.unreadable'), 'utf8')).toBe(text)
    running = [group({ model: 'b' }, { name: 'gpu-r5', revision: 'r5', revisionOf: 'gpu' })]
    expect(store.note('chat', group(), null).revision).toBe('r6')
    expect(store.note('chat', running[0]!, null).revision).toBe('r5')
    expect(store.note('chat', group({ model: 'c' }), null).revision).toBe('r7')
  })

  it('stay as they were where the disk refuses, and say so', () => {
    const store = open(join(folder, 'state'))
    store.note('chat', group(), null)
    rmSync(join(folder, 'state'), { recursive: true })
    writeFileSync(join(folder, 'state'), 'a file where the folder was')
    expect(() => store.note('chat', group({ model: 'b' }), null)).toThrow()
    expect(store.of('chat').map(({ revision }) => revision)).toEqual(['r1'])
  })

  it('are kept in memory only where there is no folder', () => {
    expect(openAt(undefined).note('chat', group(), null).revision).toBe('r1')
    expect(readdirSync(folder)).toEqual([])
  })
})
