/** The proxies that are compared. Each is one process (tree) on one core, in front of one upstream. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { haproxyConfig, nginxConfig } from './proxy-configs.js'
import { coresFor, pathOf, peersFolder } from './tools.js'

/** @typedef {{ folder: string, port: number, upstreamPort: number, nodeFlags: readonly string[] }} Setting */
/** @typedef {{ program: string, args: readonly string[], env?: NodeJS.ProcessEnv }} Command */
/**
 * @typedef {object} Proxy
 * @property {string} name
 * @property {((setting: Setting) => Command) | undefined} command undefined: the load goes to the upstream itself
 * @property {readonly string[]} [needs] programs, or packages of peers/
 * @property {(setting: Setting) => readonly string[]} [headers] further request headers that it asks for
 * @property {readonly string[]} [units] the only units it takes part in
 * @property {string} [cores]
 * @property {'http' | 'https'} [scheme]
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
 * @param {'listen' | 'handler'} door
 * @param {(setting: Setting) => object} [gateway] further settings of the topology's gateway
 * @returns {(setting: Setting) => Command}
 */
const ourselves = (door, gateway) => (setting) => ({
  program: process.execPath,
  args: [
    ...setting.nodeFlags,
    here('serve-lb.js'),
    door,
    String(setting.port),
    upstreamUrl(setting),
    JSON.stringify(gateway?.(setting) ?? {}),
  ],
})

/** @param {Setting} setting */
function selfSigned({ folder }) {
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=localhost',
  ]
  execFileSync('openssl', [...request, '-out', tls.cert, '-keyout', tls.key], { stdio: 'ignore' })
  return tls
}

/** @type {readonly Proxy[]} */
export const proxies = [
  { name: 'direct', command: undefined, units: ['latency'] },
  {
    name: 'nginx',
    needs: ['nginx'],
    command: (setting) => ({
      program: pathOf('nginx') ?? 'nginx',
      args: ['-p', setting.folder, '-e', 'stderr', '-c', written(setting.folder, `nginx-${setting.port}.conf`, nginxConfig(setting))],
    }),
  },
  {
    name: 'haproxy',
    needs: ['haproxy'],
    command: (setting) => ({
      program: pathOf('haproxy') ?? 'haproxy',
      args: ['-db', '-f', written(setting.folder, `haproxy-${setting.port}.cfg`, haproxyConfig(setting))],
    }),
  },
  { name: 'lb-listen', command: ourselves('listen') },
  { name: 'lb-handler', command: ourselves('handler') },
  {
    name: 'lb-listen-tls',
    needs: ['openssl'],
    command: ourselves('listen', (setting) => ({ tls: selfSigned(setting) })),
    units: ['json1k', 'body64k', 'body512k', 'rps'],
    scheme: 'https',
  },
  { name: 'lb-workers-2', command: ourselves('listen', () => ({ workers: 2 })), cores: coresFor.proxyOfTwo },
  {
    name: 'http-proxy-3',
    needs: ['http-proxy-3'],
    command: (setting) => ({
      program: process.execPath,
      args: [join(peersFolder, 'serve-http-proxy-3.js'), String(setting.port), upstreamUrl(setting)],
    }),
  },
  {
    name: 'portkey',
    needs: ['@portkey-ai/gateway'],
    command: (setting) => ({
      program: process.execPath,
      args: [join(peersFolder, 'node_modules/@portkey-ai/gateway/build/start-server.js'), '--headless', `--port=${setting.port}`],
    }),
    headers: (setting) => ['x-portkey-provider: openai', `x-portkey-custom-host: ${upstreamUrl(setting)}/v1`],
  },
]
