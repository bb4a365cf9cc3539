import { readFileSync } from 'node:fs'

/** A listening TCP socket that the launcher opened and handed down. */
export interface HandedSocket {
  /** Number of the descriptor in the keeper. */
  readonly fd: number
  /** Base URL for people: `http://127.0.0.1:8484`. */
  readonly url: string
}

/** All that a keeper and its balancer need to start; a private file in the runtime folder. */
export interface Boot {
  readonly v: 1
  readonly name: string
  /** Where the topology was declared, if in a file. */
  readonly topologyFile?: string
  /** Resolved topology as JSON; validated by the launcher. */
  readonly topologyPath: string
  /** Engine name to the absolute path of its plugin module. */
  readonly engineModules: Readonly<Record<string, string>>
  /** Strategy name to the absolute path of its module; built-in ones are not in here. */
  readonly strategyModules: Readonly<Record<string, string>>
  /** Metric name to the absolute path of its module. */
  readonly metricModules: Readonly<Record<string, string>>
  readonly sockets: readonly HandedSocket[]
  /** Data threads of the balancer; 0: its main thread serves. */
  readonly threads: number
  /** Unix socket paths that the balancer binds itself. */
  readonly unixListeners: readonly string[]
  /** What becomes of the engines that a killed balancer of this topology left. */
  readonly leftovers: LeftoverPolicy
}

/** `adopt`: those that fit are taken over as they run. `reap`: all are ended first. */
export type LeftoverPolicy = 'adopt' | 'reap'

/** stdin, stdout, stderr and the message channel come first. */
export const FIRST_SOCKET_FD = 4

/** A thread that dies takes its duplicate of each socket along; so many may die before the balancer is started anew. */
const SPARE_SOCKETS = 8

/** Duplicates of each listening socket that the keeper hands to the balancer: one for each data thread, and spare ones. */
export function copiesOf({ threads }: Pick<Boot, 'threads'>): number {
  return threads === 0 ? 1 : threads + SPARE_SOCKETS
}

/** The balancer's descriptors of its sockets, in the order in which the keeper hands them over. */
export function sharedSockets(boot: Boot): { readonly fds: readonly number[]; readonly url: string }[] {
  const copies = copiesOf(boot)
  return boot.sockets.map(({ url }, index) => ({
    url,
    fds: Array.from({ length: copies }, (_, copy) => FIRST_SOCKET_FD + index * copies + copy),
  }))
}

/** Said by the keeper to its launcher, or by the balancer to its keeper. */
export type KeeperMessage =
  | { readonly type: 'serving'; readonly pid: number }
  | { readonly type: 'refused'; readonly code: string; readonly message: string; readonly hint?: string }

/** Said by the launcher to the keeper. */
export type LauncherMessage = { readonly type: 'detach' }

export function readBoot(path: string): Boot {
  const boot = JSON.parse(readFileSync(path, 'utf8')) as Partial<Boot>
  if (boot.v !== 1) throw new Error(`${path} was written by another version of lb`)
  return boot as Boot
}
