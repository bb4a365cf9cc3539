import { isSameProcess } from '@plimsoll/core'
import { knownTargets, type Target } from './find-target.js'

const EVERY_ADDRESS = ['0.0.0.0', '[::]']

/** The running topology of this user that listens on a port; undefined: whoever does is somebody else. */
export async function holderOf({ host, port }: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  const hosts = [host.includes(':') ? `[${host}]` : host, ...EVERY_ADDRESS]
  for (const { name, state } of knownTargets()) {
    const isThere = state?.listen.some((url) => isAt(url, port, hosts)) === true
    if (isThere && (await lives(state))) return name
  }
  return undefined
}

function isAt(listen: string, port: number, hosts: readonly string[]): boolean {
  if (!URL.canParse(listen)) return false
  const url = new URL(listen)
  const isEverywhere = EVERY_ADDRESS.some((address) => hosts[0] === address)
  const at = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  return at === port && (isEverywhere || hosts.includes(url.hostname))
}

/** Its keeper holds the sockets while its balancer is started again. */
async function lives(state: NonNullable<Target['state']>): Promise<boolean> {
  return (await isSameProcess(state.balancer)) || (state.keeper !== undefined && (await isSameProcess(state.keeper)))
}
