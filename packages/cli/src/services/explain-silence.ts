import { LbError, isSameProcess, readState, runningLeftovers } from '@plimsoll/core'
import type { LeftoverPolicy } from '../keeper/boot.js'
import type { Target } from './find-target.js'

/**
 * Why nobody answers for a topology, and what to do: it never ran, was stopped meanwhile, is being started again, hangs, or was killed and left engines behind.
 * `retry` says whether it may answer without anybody doing anything.
 */
export async function explainSilence(target: Target): Promise<LbError> {
  const { name } = target
  if (target.state === undefined) return told('LB_NOT_RUNNING', `${name} is not running`, 'lb up starts it')
  // A command that waits has found it long ago.
  const state = readState(target.paths.stateFile)
  if (state === undefined) return told('LB_NOT_RUNNING', `${name} was stopped meanwhile`, 'lb up starts it again')
  if (await isSameProcess(state.balancer)) {
    const text = `the balancer of ${name} (process ${state.balancer.pid}) lives, but its control socket does not answer`
    return told('LB_NO_ANSWER', text, 'ask again; `lb down --force` ends one that hangs', 'after-wait')
  }
  if (state.keeper !== undefined && (await isSameProcess(state.keeper)))
    return told('LB_NOT_RUNNING', `the balancer of ${name} died; its keeper is starting it again`, 'ask again in a second', 'after-wait')
  return killed({ ...target, state })
}

/** What `lb up` says before it starts over what a kill -9 left; undefined when nothing was left. */
export async function leftoverNotice(target: Target, policy: LeftoverPolicy): Promise<string | undefined> {
  const { state } = target
  if (state === undefined || (await isSameProcess(state.balancer))) return undefined
  const engines = await leftOf(target)
  const plan = policy === 'adopt' ? 'taken over where they fit the topology' : 'stopped first'
  const what = engines.length === 0 ? 'none of its engines runs any more' : `its engines still run and are ${plan}: ${engines.join(', ')}`
  return `the last balancer of ${target.name} (process ${state.balancer.pid}) was killed; ${what}`
}

function leftOf({ name, state, paths }: Target): Promise<string[]> {
  return runningLeftovers({ name, state, paths })
}

async function killed(target: Target): Promise<LbError> {
  const { name, state } = target
  const engines = await leftOf(target)
  const who = `the balancer of ${name} (process ${state?.balancer.pid ?? 0}) was killed`
  if (engines.length === 0)
    return told('LB_NOT_RUNNING', `${who}; nothing of it runs any more`, 'lb up starts it again; lb down clears what it left')
  return told(
    'LB_NOT_RUNNING',
    `${who}; ${engines.length} of its engines still run: ${engines.join(', ')}`,
    'lb up takes them over; lb down stops them',
  )
}

function told(code: string, message: string, hint: string, retry: LbError['retry'] = 'never'): LbError {
  return new LbError(message, { code, source: 'operator', hint, retry })
}
