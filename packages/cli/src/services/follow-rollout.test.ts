import { LbError, type RolloutStatus } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import { sampleRollout } from '../views/board/sample-status.test.fixture.js'
import { followRollout } from './follow-rollout.js'

type Answer = RolloutStatus | Error

/** Answers one after the other; the last one for ever. */
function scripted(...answers: Answer[]): { rollouts(): Promise<readonly RolloutStatus[]> } {
  let at = 0
  return {
    rollouts: async () => {
      const answer = answers[Math.min(at++, answers.length - 1)]
      if (answer instanceof Error) throw answer
      return answer === undefined ? [] : [sampleRollout({ id: 'embed-1', pool: 'embed' }), answer]
    },
  }
}

const silent = new LbError('the balancer died; its keeper is starting it again', {
  code: 'LB_NOT_RUNNING',
  source: 'operator',
  retry: 'after-wait',
})
const gone = new LbError('demo was stopped meanwhile', { code: 'LB_NOT_RUNNING', source: 'operator' })
const begun = sampleRollout({ phase: 'preparing' })

async function followed(
  client: ReturnType<typeof scripted>,
  options: { readonly silenceMs?: number; readonly goneMs?: number; readonly untilStanding?: boolean; readonly timeoutMs?: number } = {},
): Promise<{ end: RolloutStatus; phases: string[]; silences: string[] }> {
  const phases: string[] = []
  const silences: string[] = []
  const end = await followRollout(client, begun, {
    lookEveryMs: 1,
    ...options,
    onStatus: ({ phase }) => void phases.push(phase),
    onSilence: (why) => void silences.push(why),
  })
  return { end, phases, silences }
}

describe('following a rollout', () => {
  it('tells each change once and ends with the rollout', async () => {
    const holding = sampleRollout({ phase: 'holding' })
    const { end, phases } = await followed(scripted(begun, holding, holding, sampleRollout({ phase: 'rolled-back' })))
    expect([end.phase, phases]).toEqual(['rolled-back', ['preparing', 'holding', 'rolled-back']])
  })

  it('waits for a balancer that was killed and goes on', async () => {
    const { end, silences } = await followed(scripted(begun, silent, silent, sampleRollout({ phase: 'promoted' })))
    expect([end.phase, silences]).toEqual(['promoted', [silent.message]])
  })

  it('gives up on one that stays silent, and passes on what is no silence', async () => {
    await expect(followed(scripted(silent), { silenceMs: 5 })).rejects.toThrow(silent.message)
    await expect(followed(scripted(silent, gone), { goneMs: 5 })).rejects.toThrow(gone.message)
    await expect(followed(scripted(new LbError('no', { code: 'LB_CONTROL_FAILED', source: 'lb' })))).rejects.toThrow('no')
  })

  it('ends where a split stands and where copies are good enough, if that is wished', async () => {
    const split = sampleRollout({ kind: 'split', phase: 'holding', stepEndsAtMs: null })
    expect((await followed(scripted(split), { untilStanding: true })).end.kind).toBe('split')
    const shadow = { ...split, kind: 'shadow' as const }
    const undecided = {
      ...shadow,
      judge: { verdict: 'undecided', reason: null, canaryRequests: 1, baselineRequests: 1, figures: [] } as const,
    }
    const { end } = await followed(scripted(undecided, undecided, shadow), { untilStanding: true })
    expect(end.judge?.verdict).toBe('good')
    const { phases } = await followed(scripted(split, sampleRollout({ kind: 'split', phase: 'promoted' })))
    expect(phases).toEqual(['preparing', 'holding', 'promoted'])
  })

  it('is not waited for longer than was said, and says that it goes on', async () => {
    await expect(followed(scripted(begun), { timeoutMs: 5 })).rejects.toThrow(/not over after 5 ms \(preparing\); it goes on/)
    const { end } = await followed(scripted(sampleRollout({ phase: 'promoted' })), { timeoutMs: 60_000 })
    expect(end.phase).toBe('promoted')
  })

  it('says so when the balancer knows it no more', async () => {
    await expect(followed(scripted(sampleRollout({ id: 'chat-9' })))).rejects.toThrow(/does not know the rollout chat-4/)
  })
})
