import type { RestReason } from './pool-view.js'

/** Why a pool is put to rest, for people. */
export function restReasonWords(reason: RestReason): string {
  if (reason.why === 'asked') return 'goes to rest: asked by you'
  return reason.why === 'idle' ? 'goes to rest: nobody has asked it for a while' : `makes room: the turn of ${reason.of} has come`
}

export function awakeWords(afterMs: number, waiting: number): string {
  const took = afterMs < 1_000 ? `${Math.round(afterMs)} ms` : `${(afterMs / 1_000).toFixed(1)} s`
  return `is awake after ${took}${waiting === 0 ? '' : `; ${waiting === 1 ? '1 request' : `${waiting} requests`} waited`}`
}

/** When the turn of a pool comes, for people. */
export function turnWords(behind: readonly string[], inMs: number): string {
  return `its turn comes in ${Math.max(1, Math.ceil(inMs / 1_000))} s: until then ${behind.join(' and ')} ${behind.length === 1 ? 'stays' : 'stay'}`
}
