import { expect, it } from 'vitest'
import { leavingIn } from './steering-world.js'

it('engines of an earlier balancer that nobody takes over leave, too, until they have ended', () => {
  const node = (id: string, process?: object) => ({ id, ...(process === undefined ? {} : { process }) })
  const fleet = {
    nodes: () => [node('chat/gpu-0')],
    leaving: () => [node('chat/gpu-1'), node('code/gpu-1')],
    records: () => [node('chat/gpu-0', {}), node('chat/gpu-1', {}), node('chat/gpu-r2-0', {}), node('chat-2/gpu', {}), node('chat/far')],
  }
  expect(leavingIn('chat', fleet)).toEqual(['chat/gpu-1', 'chat/gpu-r2-0'])
})
