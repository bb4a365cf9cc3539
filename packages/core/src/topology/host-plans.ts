import { isAbsolute, resolve } from 'node:path'
import { messageOf } from '../errors/index.js'
import { parseSshDestination } from '../machines/index.js'
import type { EngineCatalogue } from './catalogue.js'
import type { Finding } from './finding.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'
import { nearestWord } from './nearest-word.js'
import type { HostPlan } from './topology.js'

interface HostInput {
  readonly ssh: string
  readonly sshConfig?: string
  readonly venv?: string
  readonly models?: string
  readonly reach?: 'tunnel' | 'direct'
  readonly address?: string
}

interface Known {
  readonly hosts: Readonly<Record<string, unknown>>
  readonly engines: EngineCatalogue
}

interface NodeAt {
  readonly pool: string
  readonly path: KeyPath
}

/** The machine that `ssh:` of a node group means: one of `hosts`, or an address written out. */
export function hostPlan(ssh: string, hosts: Readonly<Record<string, HostInput>>, baseDir: string): HostPlan {
  const declared = Object.hasOwn(hosts, ssh) ? hosts[ssh] : undefined
  const destination = parseSshDestination(declared?.ssh ?? ssh)
  return {
    name: ssh,
    ssh: destination,
    ...(declared?.reach === 'direct' ? { directAddress: declared.address ?? destination.host } : {}),
    ...(declared?.sshConfig === undefined ? {} : { sshConfig: resolve(baseDir, declared.sshConfig) }),
    ...(declared?.venv === undefined ? {} : { venv: declared.venv }),
    ...(declared?.models === undefined ? {} : { modelDir: declared.models }),
  }
}

/** All that has to do with other machines: addresses that ssh understands, folders that are absolute over there, node groups that name them. */
export function checkHosts(root: unknown, engines: EngineCatalogue): Finding[] {
  const { hosts, pools } = recordOf(root)
  const groups = Object.entries(recordOf(pools)).flatMap(([pool, value]) =>
    listOf(recordOf(value)['nodes']).flatMap((node, index) =>
      checkSsh(recordOf(node), { pool, path: ['pools', pool, 'nodes', index] }, { hosts: recordOf(hosts), engines }),
    ),
  )
  return [...checkDeclared(recordOf(hosts)), ...groups]
}

function checkDeclared(hosts: Readonly<Record<string, unknown>>): Finding[] {
  return Object.entries(hosts).flatMap(([name, value]) => {
    if (name.startsWith('x-')) return []
    const path = ['hosts', name]
    const { ssh, ...folders } = recordOf(value)
    return [
      ...(typeof ssh === 'string' ? checkDestination(ssh, [...path, 'ssh']) : []),
      ...(['venv', 'models'] as const).flatMap((key) => checkFolder(folders[key], [...path, key])),
    ]
  })
}

/** `ssh` of one node group, against the declared hosts and against what cannot be done over there. */
function checkSsh(node: Readonly<Record<string, unknown>>, at: NodeAt, { hosts, engines }: Known): Finding[] {
  const { ssh, launch } = node
  if (typeof ssh !== 'string' || ssh === '') return []
  const path = [...at.path, 'ssh']
  if (launch === undefined) {
    const message = `pool ${at.pool}: ssh says where to launch, and nothing is launched`
    return [{ path, at: 'key', message, hint: 'write launch: {}, or remove ssh; an attached server is reached by its URL' }]
  }
  const findings = Object.hasOwn(hosts, ssh) ? [] : checkDestination(ssh, path, nearestWord(ssh, Object.keys(hosts)))
  const facts = engines.get(String(node['engine']))
  if (recordOf(hosts[ssh])['reach'] === 'direct' && facts !== undefined && facts.takesKey !== true) {
    const message = `pool ${at.pool}: \`${String(node['engine'])}\` asks nobody for a key, so it may not listen beyond loopback`
    findings.push({ path, at: 'value', message, hint: `remove reach: direct from hosts.${ssh}; a tunnel needs no key` })
  }
  const { venv } = recordOf(launch)
  return [...findings, ...checkFolder(venv, [...at.path, 'launch', 'venv'])]
}

function checkDestination(text: string, path: KeyPath, near?: string): Finding[] {
  try {
    parseSshDestination(text)
    return []
  } catch (error) {
    const suggestion = near === undefined ? {} : { suggestion: near }
    return [{ path, at: 'value', message: messageOf(error), expected: 'user@host, user@host:port, or a name under hosts', ...suggestion }]
  }
}

function checkFolder(folder: unknown, path: KeyPath): Finding[] {
  if (typeof folder !== 'string' || folder === '' || isAbsolute(folder)) return []
  return [
    {
      path,
      at: 'value',
      message: `\`${folder}\` lies on another machine and is not absolute`,
      expected: 'an absolute path such as /srv/models',
    },
  ]
}
