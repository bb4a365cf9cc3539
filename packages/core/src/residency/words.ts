import type { RestReason } from './pool-view.js'

/** Why a pool is put to rest, for people. */
export function restReasonWords(reason: RestReason): string {
  if (reason.why === 'turn') return `makes room: the turn of ${reason.of} has come`
  return REST_WORDS[reason.why]
}

const REST_WORDS = {
  asked: 'goes to rest: asked by you',
  idle: 'goes to rest: nobody has asked it for a while',
  failed: 'goes to rest: its engines do not start; the next request tries again',
} as const

export function awakeWords(afterMs: number, waiting: number): string {
  const took = afterMs < 1_000 ? `${Math.round(afterMs)} ms` : `${(afterMs / 1_000).toFixed(1)} s`
  return `is awake after ${took}${waiting === 0 ? '' : `; ${waiting === 1 ? '1 request' : `${waiting} requests`} waited`}`
}

/** When the turn of a pool comes, for people. */
export function turnWords(behind: readonly string[], inMs: number): string {
  return `its turn comes in ${Math.max(1, Math.ceil(inMs / 1_000))} s: until then ${behind.join(' and ')} ${behind.length === 1 ? 'stays' : 'stay'}`
}

/** What a pool at rest waits for, for a client who gives up: words that stay the same as long as that does. */
export function waitWords({ going, behind }: { readonly going: readonly string[]; readonly behind: readonly string[] }): string {
  if (going.length > 0) return `waits until ${going.join(' and ')} ${going.length === 1 ? 'has' : 'have'} ended what runs there`
  if (behind.length > 0) return `waits until ${behind.join(' and ')} ${behind.length === 1 ? 'has' : 'have'} had the time that is due`
  return 'waits for its turn: others were asked for first'
}

/** Why nobody need wait for a pool, for its clients. */
export function failedWords(why: string | undefined): string {
  return `could not be woken${why === undefined ? '' : `: ${why}`}; it is tried again in a while`
}
