import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/index.js'
import type { RosterNode } from '../../contracts/index.js'
import type { LbError } from '../../errors/index.js'
import { TimerWheel } from '../../wire/index.js'
import type { Admitted } from '../admit.js'
import type { AttemptEnd } from '../forward.js'
import { QuarantineDesk } from './desk.js'
import type { Guarded } from './guard.js'
import type { DeskWord } from './words.js'

/** A desk whose office says only what the test says, and one request whose node went away. */
function held() {
  const clock = new FakeClock()
  const words: DeskWord[] = []
  const desk = new QuarantineDesk({ clock, wheel: new TimerWheel(clock), salt: Buffer.from('salt'), tell: (word) => void words.push(word) })
  let gone = (): void => undefined
  const exchange = { onGone: (callback: () => void) => void (gone = callback) }
  const request = { face: 'openai-chat', scan: { body: Buffer.from('x') }, pool: { name: 'p' }, exchange } as unknown as Admitted
  const reset = { atNodeMs: 3, end: { outcome: 'reset', contentEvents: 0 } as AttemptEnd }
  const nodeOf = (id: string): RosterNode => ({ id, connectionKey: `${id}#1` }) as RosterNode
  const guard = desk.after(undefined, request, { node: nodeOf('p/n'), ...reset })
  const breaks = (id: string): void => void desk.after(guard, request, { node: nodeOf(id), ...reset })
  const heard: (string | undefined)[] = []
  const walk: Guarded = {
    candidates: () => ['p/m'],
    again: () => void heard.push(guard?.holds(walk) === false ? `goes to ${guard.only}` : 'is held again'),
    stopped: (error: LbError) => void heard.push(error.code),
  }
  const ticket = (): number => words.flatMap((word) => (word.type === 'ask' ? [word.ticket] : [])).at(-1) ?? 0
  return { clock, desk, guard, walk, words, heard, ticket, breaks, leave: () => gone() }
}

describe('the guard of a request whose node went away', () => {
  it('tells of it, asks, and lets it go where the office says', () => {
    const { guard, walk, words, heard, desk, ticket } = held()
    expect(guard?.holds(walk)).toBe(true)
    expect(words.map(({ type }) => type)).toEqual(['broke', 'ask'])
    desk.hear({ type: 'go', ticket: ticket(), node: 'p/m' })
    expect(heard).toEqual(['goes to p/m'])
  })

  it('lets a client go that leaves meanwhile, and gives its turn back', () => {
    const { guard, walk, words, heard, desk, ticket, leave, clock } = held()
    guard?.holds(walk)
    leave()
    expect(heard).toEqual(['LB_CLIENT_GONE'])
    expect(words.at(-1)).toEqual({ type: 'done', ticket: ticket() })
    desk.hear({ type: 'go', ticket: ticket(), node: 'p/m' })
    expect(words.filter(({ type }) => type === 'done')).toHaveLength(2)
    clock.advance(60_000)
    expect(heard).toEqual(['LB_CLIENT_GONE'])
  })

  it('waits no longer than a few seconds for an office that says nothing', () => {
    const { guard, walk, heard, clock } = held()
    guard?.holds(walk)
    clock.advance(6_900)
    expect(heard).toEqual([])
    clock.advance(300)
    expect(heard).toEqual(['goes to undefined'])
  })

  it('leads nobody to a third node without leave', () => {
    const { guard, walk, heard, desk, ticket, clock, breaks } = held()
    guard?.holds(walk)
    desk.hear({ type: 'go', ticket: ticket(), node: 'p/m' })
    breaks('p/m')
    expect(guard?.holds(walk)).toBe(true)
    clock.advance(60_000)
    expect(heard).toEqual(['goes to p/m', 'LB_REQUEST_UNEXPLAINED'])
  })

  it('tells that it got further when its thread has heard all, and not because its timer came before that', () => {
    const { guard, desk, walk, words, clock, ticket, breaks } = held()
    guard?.holds(walk)
    desk.hear({ type: 'go', ticket: ticket(), node: 'p/m' })
    guard?.onContent()
    clock.advance(210)
    breaks('p/m')
    clock.advance(60)
    expect(words.some(({ type }) => type === 'further')).toBe(false)
  })

  it('stops it where the office refuses, and later ones with the same body at once', () => {
    const { guard, walk, heard, desk, ticket, clock } = held()
    guard?.holds(walk)
    const sentence = { fingerprint: 'f', nodes: ['p/n', 'p/m'], untilMs: clock.epochMs() + 600_000 }
    desk.hear({ type: 'refuse', ticket: ticket(), sentence })
    expect(heard).toEqual(['LB_REQUEST_QUARANTINED'])
  })
})

describe('a desk', () => {
  it('has no guard for anybody until it knows a body, and none again when that is cleared', () => {
    const { desk, words } = held()
    const broke = words.find((word) => word.type === 'broke')
    const fingerprint = broke?.type === 'broke' ? broke.suspect.fingerprint : ''
    const request = (text: string): Admitted =>
      ({ face: 'openai-chat', scan: { body: Buffer.from(text) }, pool: { name: 'p' }, exchange: {} }) as unknown as Admitted
    expect(desk.guardOf(request('x'))).toBeUndefined()
    desk.hear({ type: 'known', bodies: [{ is: 'suspect', fingerprint, bytes: 1 }] })
    expect([desk.guardOf(request('x')) !== undefined, desk.guardOf(request('y')), desk.guardOf(request('xx'))]).toEqual([
      true,
      undefined,
      undefined,
    ])
    desk.hear({ type: 'known', bodies: [{ is: 'suspect', fingerprint, bytes: 1 }] })
    desk.hear({ type: 'known', bodies: [{ is: 'clear', fingerprint, bytes: 1 }] })
    expect(desk.guardOf(request('x'))).toBeUndefined()
  })
})
