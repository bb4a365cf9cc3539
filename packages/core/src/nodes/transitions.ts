import type { NodeState } from '../contracts/index.js'

/**
 * What can happen to a node. `start`: a launch or an attach begins. `good`: answered, not yet often enough; `steady`: often enough.
 * `warm`: often enough for the first time in this life, and it computes what is asked most before it takes requests. `bad`: failed its probes often enough. `fail`: its process ended or could not be started, or nothing answers at an address never seen alive. `sleep`: it has given
 * its memory back.
 */
export type NodeEvent = 'start' | 'loading' | 'good' | 'steady' | 'warm' | 'bad' | 'fail' | 'drain' | 'resume' | 'sleep' | 'stop'

/** The life of a node. A pair that is not listed is a bug and throws; what is deliberately without effect is listed as staying. */
export const transitions: Readonly<Record<NodeState, Readonly<Partial<Record<NodeEvent, NodeState>>>>> = {
  declared: { start: 'starting', drain: 'draining', sleep: 'asleep', stop: 'stopped', fail: 'failed' },
  starting: {
    start: 'starting',
    loading: 'loading',
    good: 'starting',
    steady: 'ready',
    warm: 'warming',
    bad: 'starting',
    fail: 'failed',
    drain: 'draining',
    sleep: 'asleep',
    stop: 'stopped',
  },
  // `start`: the engine ended because its port was taken, and begins again on the next one.
  loading: {
    start: 'starting',
    loading: 'loading',
    good: 'loading',
    steady: 'ready',
    warm: 'warming',
    bad: 'loading',
    fail: 'failed',
    drain: 'draining',
    sleep: 'asleep',
    stop: 'stopped',
  },
  // `start` from here on: what answered on its port was another program; its own engine could not bind it.
  warming: {
    start: 'starting',
    loading: 'loading',
    good: 'warming',
    steady: 'ready',
    warm: 'warming',
    bad: 'suspect',
    fail: 'failed',
    drain: 'draining',
    stop: 'stopped',
  },
  ready: {
    start: 'starting',
    loading: 'loading',
    good: 'ready',
    steady: 'ready',
    bad: 'suspect',
    fail: 'failed',
    drain: 'draining',
    stop: 'stopped',
  },
  suspect: {
    start: 'starting',
    loading: 'loading',
    good: 'warming',
    steady: 'ready',
    warm: 'warming',
    bad: 'suspect',
    fail: 'failed',
    drain: 'draining',
    stop: 'stopped',
  },
  // A good probe while draining changes nothing: or a node that is being emptied would be filled again.
  draining: {
    loading: 'draining',
    good: 'draining',
    steady: 'draining',
    bad: 'draining',
    fail: 'stopped',
    drain: 'draining',
    resume: 'ready',
    sleep: 'asleep',
    stop: 'stopped',
  },
  // An engine that ends while it sleeps rests all the same: it is launched anew when it is woken.
  asleep: { start: 'starting', fail: 'asleep', drain: 'asleep', sleep: 'asleep', stop: 'stopped' },
  stopped: { start: 'starting', fail: 'stopped', stop: 'stopped', drain: 'stopped', sleep: 'asleep' },
  failed: {
    start: 'starting',
    loading: 'loading',
    good: 'warming',
    steady: 'ready',
    warm: 'warming',
    bad: 'failed',
    fail: 'failed',
    drain: 'draining',
    sleep: 'asleep',
    stop: 'stopped',
  },
}

/** States in which a node has said what it had to say about its start. */
export function isSettled(state: NodeState): boolean {
  return state !== 'declared' && state !== 'starting' && state !== 'loading'
}
