import type { RolloutStatus } from '@plimsoll/core/client'
import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutWatch extends LbCommand {
  static override summary = 'Watch a rollout to its end; the exit code says how it ended.'
  static override description =
    'Leaves with 0 promoted, 3 rolled back, 4 aborted, 1 failed; leaving earlier changes nothing. On a terminal it draws the rollout anew when something changes, elsewhere it prints what happens; with --json one line for each change.'
  static override examples = ['<%= config.bin %> rollout watch chat', '<%= config.bin %> rollout watch chat --json | jq .share']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutWatch)
    const { withClient } = await import('../../services/with-client.js')
    const { watchRollout } = await import('../../services/watch-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { rolloutText } = await import('../../views/rollout-text.js')
    const { jsonText } = await import('../../views/json-text.js')
    const draws = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && !flags.json
    const show = (status: RolloutStatus): void => {
      if (flags.json) this.print(`${jsonText(status, { lines: true })}\n`)
      else if (draws) this.print(`\u001b[H\u001b[2J${rolloutText(status, { nowMs: Date.now(), events: 12 })}`)
    }
    await withClient({ cwd: process.cwd(), ...flags }, async (client) => {
      const begun = await client.rollout(args.pool)
      const say = draws || flags.json ? () => undefined : (text: string) => this.print(`${text}\n`)
      const { status, exitCode } = await watchRollout(client, begun, { say, onStatus: show, untilStanding: false })
      process.exitCode = exitCode
      this.say(rolloutEndText(status))
    })
  }
}
