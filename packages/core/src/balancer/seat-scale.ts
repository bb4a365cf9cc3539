import type { ScaleDesk } from '../autoscale/index.js'
import type { RolloutDesk } from '../rollout/index.js'
import { LbError } from '../errors/index.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

const later = (): LbError => new LbError('not built yet', { code: 'LB_BUG', source: 'lb' })

export function seatScale(_parts: SteeringParts & { readonly rollouts: Pick<RolloutDesk, 'list'> }): ScaleDesk & SteeringRoom {
  return { start: () => Promise.resolve(), scale: () => Promise.reject(later()), list: () => [], stop: () => undefined }
}
