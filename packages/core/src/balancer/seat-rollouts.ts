import type { RolloutDesk } from '../rollout/index.js'
import { LbError } from '../errors/index.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

const later = (): LbError => new LbError('not built yet', { code: 'LB_BUG', source: 'lb' })

export function seatRollouts(_parts: SteeringParts): RolloutDesk & SteeringRoom {
  return {
    start: (wish?: unknown) => (wish === undefined ? Promise.resolve() : Promise.reject(later())) as never,
    act: () => Promise.reject(later()),
    list: () => [],
    revisions: () => [],
    compare: () => {
      throw later()
    },
    stop: () => undefined,
  }
}
