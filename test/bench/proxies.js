/** The proxies that are compared. Each is one process (tree) on one core, in front of one upstream. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { haproxyConfig, nginxConfig } from './proxy-configs.js'

/** @typedef {{ folder: string, port: number, upstreamPort: number }} Setting */
/** @typedef {{ program: string, args: readonly string[], env?: NodeJS.ProcessEnv }} Command */
/**
 * @typedef {object} Proxy
 * @property {string} name
 * @property {(setting: Setting) => Command} command
 * @property {readonly string[]} [needs] programs on PATH, or packages in peers/node_modules
 * @property {(setting: Setting) => readonly string[]} [headers] further request headers that it asks for
 */

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * @param {string} folder
 * @param {string} name
 * @param {string} text
 */
function written(folder, name, text) {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const upstreamUrl = (/** @type {Setting} */ { upstreamPort }) => `http://127.0.0.1:${upstreamPort}`

/**
 * @param {string} name
 * @param {'listen' | 'handler'} door
 * @returns {Proxy}
 */
const ourselves = (name, door) => ({
  name,
  command: (setting) => ({
    program: process.execPath,
    args: [here('serve-lb.js'), door, String(setting.port), upstreamUrl(setting)],
  }),
})

/** @type {readonly Proxy[]} */
export const proxies = [
  {
    name: 'nginx',
    needs: ['nginx'],
    command: (setting) => ({
      program: 'nginx',
      args: ['-p', setting.folder, '-e', 'stderr', '-c', written(setting.folder, 'nginx.conf', nginxConfig(setting))],
    }),
  },
  {
    name: 'haproxy',
    needs: ['haproxy'],
    command: (setting) => ({ program: 'haproxy', args: ['-db', '-f', written(setting.folder, 'haproxy.cfg', haproxyConfig(setting))] }),
  },
  ourselves('lb-listen', 'listen'),
  ourselves('lb-handler', 'handler'),
]
