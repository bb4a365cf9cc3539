import { LbError } from '../errors/index.js'
import type { GpuDesks } from './gpu-desks.js'
import type { GpuSeat, SeatWish } from './gpu-seat.js'
import type { Life } from './life.js'
import { gpuWishOf } from './gpu-wish-of.js'
import type { NodePlan } from './node-plan.js'

/** The accelerators for a launch; undefined where the topology does not choose. Throws LB_NO_GPU, or when nobody wants the launch any more. */
export async function takeSeat(plan: NodePlan, desk: Pick<GpuDesks, 'take'> | undefined, wish: SeatWish): Promise<GpuSeat | undefined> {
  if (gpuWishOf(plan) === undefined) return undefined
  if (desk === undefined) throw new LbError('this balancer cannot give out GPUs', { code: 'LB_NO_GPU', source: 'lb' })
  const seat = await desk.take(plan, wish)
  if (wish.wanted()) return seat
  seat?.release()
  throw new LbError('stopped before it was launched', { code: 'LB_NO_GPU', source: 'operator' })
}

/** The accelerators of an engine that slept. Throws LB_NO_GPU where somebody else has them now. */
export async function retakeSeat(
  plan: NodePlan,
  desk: Pick<GpuDesks, 'retake'> | undefined,
  wish: SeatWish,
  { process, mark, slot: { gpus = [] } }: Life,
): Promise<Pick<GpuSeat, 'release'> | undefined> {
  if (gpuWishOf(plan) === undefined || gpus.length === 0) return undefined
  const seat = await desk?.retake(plan, { mark, identity: process.identity, gpus }, wish)
  if (seat !== undefined) return seat
  throw new LbError('its GPU was taken while it slept', { code: 'LB_NO_GPU', source: 'operator', hint: 'lb gpus shows who has it' })
}
