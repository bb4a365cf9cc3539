import { createPluginHost, silentLogger } from '@plimsoll/core'
import type { PluginHost } from '@plimsoll/core/plugin'

/** The host that the balancer hands to plugins, with a log that nobody reads. */
export const fetchingHost: PluginHost = createPluginHost(silentLogger)

export interface RecordingHost extends PluginHost {
  /** `get`, `send`, `lines` and `run`, as they were called. */
  readonly calls: string[]
}

/** A host on a machine where nothing is: no server answers, no command exists. It notes what was asked of it. */
export function recordingHost(): RecordingHost {
  const calls: string[] = []
  const refused = (what: string): Promise<never> => {
    calls.push(what)
    return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
  }
  return {
    calls,
    log: silentLogger,
    get: (url) => refused(`get ${url}`),
    send: (method, url) => refused(`${method} ${url}`),
    // oxlint-disable-next-line require-yield -- it fails before its first line
    async *lines(url) {
      await refused(`lines ${url}`)
    },
    run(command, args) {
      calls.push(`run ${[command, ...args].join(' ')}`)
      return Promise.resolve({ code: null, stdout: '', stderr: '' })
    },
  }
}
