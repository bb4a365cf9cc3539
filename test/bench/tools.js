/** What the bench needs from the machine, and how one gets what is missing. */
import { accessSync, constants, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Servers stand where only the administrator's PATH looks. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** @type {Readonly<Record<string, string>>} */
const packageOf = { taskset: 'util-linux', gcc: 'gcc libc6-dev' }

/** Node.js packages of peers/, by the name that is installed. */
const peers = ['http-proxy-3', '@portkey-ai/gateway']

export const peersFolder = fileURLToPath(new URL('peers/', import.meta.url))

/**
 * @param {string} program
 * @returns {string | undefined}
 */
export function pathOf(program) {
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * One line for the first of these that is not there.
 *
 * @param {readonly string[]} names programs, or packages of peers/
 * @returns {string | undefined}
 */
export function missing(names) {
  for (const name of names) {
    if (peers.includes(name)) {
      if (peerVersion(name) === undefined) return `${name} is not installed: npm run bench:setup`
    } else if (pathOf(name) === undefined) return `${name} is not installed: apt-get install ${packageOf[name] ?? name}`
  }
  return undefined
}

/**
 * @param {string} name
 * @returns {string | undefined}
 */
export function peerVersion(name) {
  try {
    return JSON.parse(readFileSync(join(peersFolder, 'node_modules', name, 'package.json'), 'utf8')).version
  } catch {
    return undefined
  }
}

/** File descriptors that one process may have open. */
export function openFileLimit() {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1]
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft)
}

const cores = availableParallelism()

/**
 * One core for the proxy, the rest for upstream and load; with four cores there is room for two data threads.
 *
 * @type {Readonly<{ proxy: string, proxyOfTwo: string, load: string, count: number }>}
 */
export const coresFor =
  cores >= 4 ? { proxy: '0', proxyOfTwo: '0,1', load: '2,3', count: cores } : { proxy: '0', proxyOfTwo: '0', load: '1', count: cores }
