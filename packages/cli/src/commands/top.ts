import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Top extends LbCommand {
  static override summary = 'Watch a running balancer live: nodes, load, latencies, events.'
  static override description =
    'Leaving it changes nothing. Where no live view can be drawn (no terminal, TERM=dumb) one snapshot is printed.'
  static override examples = ['<%= config.bin %> top', '<%= config.bin %> top --remote ssh://gpu-box']
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(Top)
    const { openConnection } = await import('../services/open-connection.js')
    const { canShowLive, runLiveView } = await import('../live/index.js')
    const { curlText } = await import('../views/curl-text.js')
    const connection = await openConnection({ cwd: process.cwd(), ...flags })
    try {
      const status = await connection.client.status()
      if (flags.json) return await this.printJson(status)
      if (!canShowLive()) {
        const { renderSnapshot } = await import('../views/snapshot.js')
        this.print(renderSnapshot(status))
        return this.say('This is no terminal, so it was shown once; lb status --watch goes on.')
      }
      const curl = curlText(status.gateway.listen[0] ?? '', {
        model: status.pools[0]?.models[0] ?? '',
        certFile: connection.target?.state?.certFile,
      })
      const end = await runLiveView({ client: connection.client, mode: 'top', curl })
      this.say(end === 'stop' ? 'Stopped. lb up starts it again.' : 'It runs on. lb down stops it.')
    } finally {
      connection.close()
    }
  }
}
