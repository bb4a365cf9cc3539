import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from './journal.js'
import type { RolloutRecord } from './rollout-record.js'
import type { RolloutStatus } from './rollout-status.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-journal-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const empty = { plan: {}, ground: {}, first: {}, from: {}, to: {}, judged: {}, launchHashes: {}, failuresBefore: {} }
const lists = { stages: [], events: [], readyBefore: [] }
const running = (id: string, pool = 'chat') => ({ id, pool, phase: 'holding', at: 0, ...empty, ...lists }) as unknown as RolloutRecord
const over = (id: string, pool = 'chat') =>
  ({ id, pool, phase: 'promoted', from: { revision: 'r1' }, to: { revision: 'r2' }, events: [] }) as unknown as RolloutStatus

describe('the journal', () => {
  it('is what the next balancer reads: one that runs in each pool, and the newest hundred that are over', () => {
    const journal = new Journal(folder)
    journal.save(running('chat-1'))
    journal.save(running('code-1', 'code'))
    journal.save({ ...running('chat-1'), at: 3 })
    for (let number = 2; number < 110; number += 1) journal.close(over(`chat-${number}`))
    const next = new Journal(folder)
    expect(next.running.map(({ id, at }) => [id, at])).toEqual([
      ['code-1', 0],
      ['chat-1', 3],
    ])
    expect([next.past.length, next.past[0]?.id]).toEqual([100, 'chat-109'])
    expect([next.nextId('chat'), next.nextId('code'), next.nextId('new')]).toEqual(['chat-110', 'code-2', 'new-1'])
  })

  it('ends one by closing it, also twice', () => {
    const journal = new Journal(folder)
    journal.save(running('chat-1'))
    journal.close(over('chat-1'))
    journal.close(over('chat-1'))
    expect([journal.running, journal.past.length]).toEqual([[], 1])
  })

  it('that is torn, foreign or half foreign begins anew with what can be read', () => {
    for (const text of ['{"v":1,"running":[', 'null', '[]', '{"v":2,"running":[],"past":[]}', '{"v":1,"running":{},"past":[]}']) {
      writeFileSync(join(folder, 'rollouts.json'), text)
      expect(new Journal(folder)).toMatchObject({ running: [], past: [] })
    }
    const entries = [null, 7, {}, { id: 'chat-1' }, { ...running('chat-2'), stages: 'none' }, running('chat-3')]
    writeFileSync(
      join(folder, 'rollouts.json'),
      JSON.stringify({ v: 1, running: entries, past: [null, running('chat-1'), over('chat-4')] }),
    )
    const journal = new Journal(folder)
    expect([journal.running.map(({ id }) => id), journal.past.map(({ id }) => id)]).toEqual([['chat-3'], ['chat-4']])
  })

  it('changes nothing where the disk refuses', () => {
    writeFileSync(join(folder, 'file'), '')
    const journal = new Journal(join(folder, 'file', 'below'))
    expect(() => journal.save(running('chat-1'))).toThrow()
    expect(journal.running).toEqual([])
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('')
  })

  it('is kept in memory where nothing survives the balancer', () => {
    const journal = new Journal(undefined)
    journal.save(running('chat-1'))
    expect(journal.running.length).toBe(1)
  })
})
