import type { RolloutStatus, RolloutVerb } from '@plimsoll/core/client'
import { LbCommand } from '../../lb-command.js'

interface DecideFlags {
  readonly json: boolean
  readonly name?: string | undefined
  readonly file?: string | undefined
  readonly remote?: string | undefined
  readonly yes?: boolean
  readonly wait?: boolean
  readonly timeout?: string | undefined
}

/** Base of the commands by which a person decides about a rollout: the same manners for each. */
export abstract class DecideCommand extends LbCommand {
  /** `taken`: says that the decision is taken down; what it came to is told after that. */
  protected async decide(verb: RolloutVerb, pool: string, flags: DecideFlags, taken: (status: RolloutStatus) => string): Promise<void> {
    const { decideRollout } = await import('../../services/decide-rollout.js')
    const { timeoutOf } = await import('../../services/duration-flag.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { yes = false, wait = false } = flags
    const timeoutMs = timeoutOf(flags)
    const say = (text: string): void => this.say(text)
    const { status, exitCode } = await decideRollout(
      { cwd: process.cwd(), ...flags },
      { verb, pool, yes, wait, timeoutMs, say, onTaken: (now) => this.say(taken(now)) },
    )
    if (exitCode !== undefined) process.exitCode = exitCode
    if (flags.json) return this.printJson(status)
    this.say(rolloutEndText(status))
  }
}
