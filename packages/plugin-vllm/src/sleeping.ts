import type { Backend } from '@plimsoll/core/plugin'
import { type EngineQuestions, expectGood } from './ask-engine.js'

const hint = 'set sleepMode: true and start it anew: both --enable-sleep-mode and the development routes are needed'

/**
 * Level 1: the weights go to main memory, the KV cache is dropped; waking takes seconds. (Level 2 drops the weights too and needs them loaded by
 * hand afterwards: not used.) Core empties the node first; `wait` lets what still runs end.
 */
export function sleeping(ask: EngineQuestions): Required<Pick<Backend, 'sleep' | 'wake'>> {
  return {
    async sleep(signal) {
      const answer = await ask.post('/sleep?level=1&mode=wait', signal)
      expectGood(answer, 'go to sleep', hint)
    },
    async wake(signal) {
      expectGood(await ask.post('/wake_up', signal), 'wake up', hint)
    },
  }
}
