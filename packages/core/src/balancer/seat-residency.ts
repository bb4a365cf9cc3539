import type { ResidencyDesk } from '../residency/index.js'
import { LbError } from '../errors/index.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

const later = (): LbError => new LbError('not built yet', { code: 'LB_BUG', source: 'lb' })

export function seatResidency(_parts: SteeringParts): ResidencyDesk & SteeringRoom {
  return { start: () => Promise.resolve(), unload: () => Promise.reject(later()), list: () => [], stop: () => undefined }
}
