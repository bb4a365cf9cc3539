import { describe, expect, it } from 'vitest'
import { wishFrom, type StartFlags } from './rollout-wish.js'

describe('the flags of lb rollout start', () => {
  it('become a wish; values of --set read as JSON where they are', () => {
    const flags: StartFlags = {
      model: 'm',
      set: ['launch.args.maxModelLen=4096', 'launch.args.dtype=half', 'launch.env.A="1"', 'launch.args.url=http://x/?a=b', 'weight=0.5'],
      group: 'gpu',
      kind: 'canary',
      steps: '5%, 25%,100%',
      hold: '2m',
      header: 'X-Try: new',
      rollback: 'ask',
    }
    expect(wishFrom('chat', flags)).toEqual({
      pool: 'chat',
      model: 'm',
      group: 'gpu',
      set: {
        'launch.args.maxModelLen': 4096,
        'launch.args.dtype': 'half',
        'launch.env.A': '1',
        'launch.args.url': 'http://x/?a=b',
        weight: 0.5,
      },
      plan: { kind: 'canary', steps: [0.05, 0.25, 1], holdMs: 120_000, header: { name: 'x-try', value: 'new' }, rollback: 'ask' },
    })
  })

  it('leave out what was not said', () => {
    expect(wishFrom('chat', { to: 'blue' })).toEqual({ pool: 'chat', to: 'blue' })
  })

  it.each([
    [{ steps: '5' }, /`5` is no share/],
    [{ steps: '0%,100%' }, /`0%` is no share/],
    [{ steps: '50%,120%' }, /`120%` is no share/],
    [{ steps: '50%,50%' }, /does not grow at its step 2/],
    [{ hold: 'soon' }, /--hold soon is no duration/],
    [{ header: 'x-try' }, /is no header with a value/],
    [{ set: ['launch.args.x'] }, /is no setting with a value/],
    [{ set: ['=1'] }, /is no setting with a value/],
    [{ set: ['a..b=1'] }, /is no setting with a value/],
    [{ set: ['a=1', 'a=2'] }, /--set a is given twice/],
  ] as const)('%j is refused in words', (flags, message) => {
    expect(() => wishFrom('chat', flags)).toThrow(message)
  })
})
