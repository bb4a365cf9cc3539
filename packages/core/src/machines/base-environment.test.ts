import { describe, expect, it } from 'vitest'
import { baseEnvironment } from './base-environment.js'

describe('the environment of an engine', () => {
  it('holds the documented base and what is declared, never keys of the shell', () => {
    const source = {
      PATH: '/bin',
      LC_ALL: 'C',
      CUDA_VISIBLE_DEVICES: '0',
      OPENAI_API_KEY: 'k',
      HF_TOKEN: 't',
      NODE_OPTIONS: '--inspect',
      LB_NODE: 'x',
    }
    expect(baseEnvironment({ MY: '1' }, source)).toEqual({ PATH: '/bin', LC_ALL: 'C', CUDA_VISIBLE_DEVICES: '0', MY: '1' })
  })

  it('lets the declaration win', () => {
    expect(baseEnvironment({ PATH: '/opt' }, { PATH: '/bin' })).toEqual({ PATH: '/opt' })
  })
})
