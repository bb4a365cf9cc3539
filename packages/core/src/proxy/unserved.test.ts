import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openaiDialect } from '../dialects/index.js'
import { chunk, delta, done, event, lastChunk, plainAnswer, Rig, role, streamHead } from './scripted-gateway.test.fixture.js'

/** The dialect of an engine that gives empty answers of good form while it goes down. */
const dialect = openaiDialect({ isUnserved: (body) => body.includes('"finish_reason":"gone"') })
const emptyAnswer = plainAnswer(200, { choices: [{ message: { content: '' }, finish_reason: 'gone' }] })
const end = event({ choices: [{ index: 0, delta: {}, finish_reason: 'gone' }] })
const stream = (...events: string[]) => streamHead + events.map(chunk).join('') + lastChunk
const good = plainAnswer(200, { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] })

describe('an answer of good form that is none', () => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig()
  })

  afterEach(() => rig.end())

  it('moves a plain request to another node', async () => {
    await rig.engine((socket) => void socket.write(emptyAnswer, 'latin1'), { dialect })
    await rig.engine((socket) => void socket.write(good, 'latin1'), { dialect })
    await rig.open()
    const answer = await rig.ask({})
    expect(await answer.text()).toContain('"hi"')
    expect(answer.headers.get('x-lb-node')).toBe('p/n1')
  })

  it('moves a stream that has shown no content', async () => {
    await rig.engine((socket) => void socket.write(stream(role, end, done), 'latin1'), { dialect })
    await rig.engine((socket) => void socket.write(stream(role, delta('hi'), done), 'latin1'), { dialect })
    await rig.open()
    const text = await (await rig.ask({ stream: true })).text()
    expect(text).toContain('"hi"')
    expect(text).not.toContain('gone')
  })

  it('leaves a stream alone that has shown some', async () => {
    await rig.engine((socket) => void socket.write(stream(role, delta('hal'), end, done), 'latin1'), { dialect })
    await rig.engine((socket) => void socket.write(good, 'latin1'), { dialect })
    await rig.open()
    const answer = await rig.ask({ stream: true })
    expect(await answer.text()).toContain('gone')
    expect(answer.headers.get('x-lb-node')).toBe('p/n0')
  })

  it('is the answer after all where nobody has a better one', async () => {
    await rig.engine((socket) => void socket.write(emptyAnswer, 'latin1'), { dialect })
    await rig.open()
    const answer = await rig.ask({})
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('gone')
  })
})
