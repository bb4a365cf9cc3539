import type { PluginHost } from '@plimsoll/core/plugin'

/** A host as the balancer makes one, over the platform's own fetch. */
export const fetchingHost: PluginHost = {
  log: { info() {}, warn() {}, error() {} },
  async get(url, { signal, headers }) {
    const answer = await fetch(url, { signal, redirect: 'manual', headers: { ...headers, connection: 'close' } })
    return { status: answer.status, text: await answer.text() }
  },
}
