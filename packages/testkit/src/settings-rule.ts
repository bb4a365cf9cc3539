import assert from 'node:assert/strict'
import type { ContractRule } from './contract.js'

/** What holds for the settings of a plugin of any kind; `read` checks them and fills in defaults, as reading a topology does it. */
export function settingsRule(read: (given: unknown) => Promise<unknown>): ContractRule {
  return {
    title: 'its settings schema works, has defaults for all that it needs, and refuses unknown settings by name',
    async run() {
      const filled = await read({})
      assert.deepEqual(await read(filled), filled, 'settings with their defaults mean something else when read again')
      await assert.rejects(read({ 'no-such-setting': 1 }), /no-such-setting/)
    },
  }
}
