import { readFileSync } from 'node:fs'

/** A listening TCP socket that the launcher opened and handed down. */
export interface HandedSocket {
  /** Number of the descriptor in the keeper and in the balancer alike. */
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
  readonly sockets: readonly HandedSocket[]
  /** Unix socket paths that the balancer binds itself. */
  readonly unixListeners: readonly string[]
}

/** stdin, stdout, stderr and the message channel come first. */
export const FIRST_SOCKET_FD = 4

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
