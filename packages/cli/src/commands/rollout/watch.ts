import type { RolloutStatus } from '@plimsoll/core/client'
import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutWatch extends LbCommand {
  static override summary = 'Watch a rollout to its end; the exit code says how it ended.'
  static override description =
    'Leaves with 0 promoted, 3 rolled back, 4 aborted, 1 failed; leaving earlier changes nothing. On a terminal it draws the rollout as it goes, elsewhere it prints what happens; with --json one line for each change. One that is over is told at once.'
  static override examples = ['<%= config.bin %> rollout watch chat', '<%= config.bin %> rollout watch chat --json | jq .share']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    timeout: Flags.string({ description: 'Leave with 1 after so long. The rollout goes on.', helpValue: '10m' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutWatch)
    const { timeoutOf } = await import('../../services/duration-flag.js')
    const { withClient } = await import('../../services/with-client.js')
    const { watchRollout } = await import('../../services/watch-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { jsonText } = await import('../../views/json-text.js')
    const timeoutMs = timeoutOf(flags)
    this.leaveWithReader()
    const drawer = await this.drawer(flags)
    const listed = flags.json || drawer !== undefined
    const print = (status: RolloutStatus): void => this.print(`${jsonText(status, { lines: true })}\n`)
    await withClient({ cwd: process.cwd(), ...flags }, async (client) => {
      const begun = await client.rollout(args.pool)
      let end: RolloutStatus | undefined
      try {
        const watched = await watchRollout(client, begun, {
          say: listed ? () => undefined : (text) => this.print(`${text}\n`),
          untilStanding: false,
          timeoutMs,
          ...(flags.json ? { onStatus: print } : {}),
          ...(drawer === undefined ? {} : { onLook: (status, silence) => drawer.draw(status, silence) }),
        })
        process.exitCode = watched.exitCode
        end = watched.status
      } finally {
        drawer?.end(end)
      }
      this.say(rolloutEndText(end))
    })
  }

  private async drawer({ json }: { readonly json: boolean }) {
    if (json || !process.stdout.isTTY || process.env['TERM'] === 'dumb') return undefined
    const { rolloutDrawer } = await import('../../services/draw-rollout.js')
    return rolloutDrawer(process.stdout)
  }
}
