import { execFile } from 'node:child_process'
import type { ScaleProvider } from '../topology/index.js'

/** What a provider is told. */
export interface MachineWish {
  readonly pool: string
  readonly group: string
  readonly from: number
  readonly wanted: number
}

export interface ProviderContext {
  readonly env: NodeJS.ProcessEnv
  /** Sends JSON; throws for an answer that is not of 2xx. */
  readonly post: (url: string, body: unknown, withinMs: number) => Promise<void>
}

/** Brings or returns machines; resolves when the provider says it is done. Throws with what it said instead. */
export async function callProvider(provider: ScaleProvider, wish: MachineWish, { env, post }: ProviderContext): Promise<void> {
  const isUp = wish.wanted > wish.from
  if (provider.kind === 'webhook') return post(provider.url, { ...wish, direction: isUp ? 'up' : 'down' }, provider.timeoutMs)
  const [command, ...args] = isUp ? provider.up : provider.down
  if (command === undefined) return
  const told = { LB_POOL: wish.pool, LB_GROUP: wish.group, LB_FROM: String(wish.from), LB_WANTED: String(wish.wanted) }
  await new Promise<void>((done, failed) => {
    const options = { env: { ...env, ...told }, timeout: provider.timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1_048_576 } as const
    const child = execFile(command, args, options, (error, _stdout, stderr) => {
      if (error === null) return done()
      const why = error.killed === true ? `not done within ${provider.timeoutMs / 1_000} s` : stderr.trim().slice(-300) || error.message
      failed(new Error(`${command}: ${why}`))
    })
    child.stdin?.end()
  })
}
