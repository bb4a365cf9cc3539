import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags, waitFlags } from '../../lb-command.js'

export default class RolloutStart extends LbCommand {
  static override summary =
    'Take a new model, other settings or an edited file live, judged on real traffic, and back by itself when it is worse.'
  static override description =
    'Says what runs into what: weights are fetched before anything drains, nodes change one by one, requests that fail on the new revision are tried again on the old one. With --wait it leaves with 0 promoted, 3 rolled back, 4 aborted, 1 failed.'
  static override examples = [
    '<%= config.bin %> rollout start chat --model Qwen/Qwen3-8B',
    '<%= config.bin %> rollout start chat --set launch.args.maxModelLen=4096 --steps 5%,25%,100% --hold 2m',
    '<%= config.bin %> rollout start chat --file lb.yaml --wait --timeout 30m',
    '<%= config.bin %> rollout start chat --to blue --kind blue-green',
  ]
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    file: Flags.string({ description: 'An edited topology file: the changed node groups of the pool go live.', helpValue: 'PATH' }),
    model: Flags.string({ description: 'New weights, as the engine names them.', helpValue: 'MODEL' }),
    set: Flags.string({
      description: 'Another setting of the node group: launch.args.maxModelLen=4096. Several allowed.',
      multiple: true,
      helpValue: 'PATH=VALUE',
    }),
    group: Flags.string({ description: 'The node group that changes, where the pool has several.', helpValue: 'GROUP' }),
    to: Flags.string({ description: 'Another node group of the pool that shall get all traffic.', helpValue: 'GROUP' }),
    revision: Flags.string({ description: 'Back to a revision of lb rollout history.', helpValue: 'r1' }),
    kind: Flags.option({
      description: "How it goes live; default: the pool's own, else what the accelerators allow.",
      options: ['rolling', 'canary', 'blue-green', 'in-place', 'shadow', 'split'] as const,
    })(),
    steps: Flags.string({ description: 'Shares of traffic, growing: 5%,25%,100%.', helpValue: 'SHARES' }),
    hold: Flags.string({ description: 'How long each step is watched at least.', helpValue: '60s' }),
    header: Flags.string({ description: 'Requests with this header go to the new revision from the start.', helpValue: 'NAME=VALUE' }),
    rollback: Flags.option({ description: 'When the judge says no: back at once, or ask.', options: ['auto', 'ask'] as const })(),
    ...waitFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutStart)
    const { timeoutOf } = await import('../../services/duration-flag.js')
    const { startRollout } = await import('../../services/start-rollout.js')
    const timeoutMs = timeoutOf(flags)
    const say = (text: string): void => this.say(text)
    await startRollout(args.pool, { cwd: process.cwd(), ...flags, pluginRoots: this.pluginRoots(), say }, async (client, begun) => {
      const { rolloutEndText } = await import('../../views/rollout-event-text.js')
      const { rolloutText } = await import('../../views/rollout-text.js')
      if (flags.wait) {
        const { watchRollout } = await import('../../services/watch-rollout.js')
        const { status, exitCode } = await watchRollout(client, begun, { say, timeoutMs })
        process.exitCode = exitCode
        if (flags.json) return this.printJson(status)
        this.print(rolloutText(status, { nowMs: Date.now(), events: 0, ...this.size() }))
        return this.say(rolloutEndText(status))
      }
      if (flags.json) return this.printJson(begun)
      this.print(rolloutText(begun, { nowMs: Date.now(), ...this.size() }))
      this.say(rolloutEndText(begun))
    })
  }
}
