import { describe, expect, it } from 'vitest'
import { listStrategies } from './list-strategies.js'
import { strategyTable, strategyText } from '../views/strategy-text.js'

describe('lb strategies', () => {
  it('lists every strategy once, with the default marked', async () => {
    const all = await listStrategies()
    const lines = strategyTable(all).trim().split('\n')
    expect(lines).toHaveLength(all.length + 1)
    expect(lines.filter((line) => line.includes('(default)'))).toHaveLength(1)
  })

  it('shows what can be set of one, and how to write it', () => {
    const settings = {
      type: 'object',
      properties: {
        limit: { type: 'number', minimum: 1, maximum: 9, default: 4, description: 'How far.' },
        mode: { enum: ['a', 'b'], description: 'Which.' },
      },
    }
    const text = strategyText({ name: 'far', aliases: ['away'], summary: 'Goes far.', settings, isDefault: false, packageName: null })
    expect(text.split('\n')).toEqual([
      'far, also called away',
      'Goes far.',
      '',
      'SETTING  VALUE        DEFAULT  WHAT IT IS',
      'limit    number 1..9  4        How far.',
      'mode     a | b        -        Which.',
      '',
      'strategy: { name: far, limit: 4 }',
      '',
    ])
  })

  it('says so where nothing can be set', async () => {
    const [plain] = (await listStrategies()).filter(({ name }) => name === 'round-robin')
    expect(strategyText(plain!)).toMatch(/No settings\.\n\nstrategy: round-robin\n$/)
  })
})
