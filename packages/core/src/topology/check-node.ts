import type { EngineFacts } from './catalogue.js'
import { checkAttach } from './check-attach.js'
import { checkScale } from './check-scale.js'
import type { CheckContext } from './check-context.js'
import { checkGpus } from './check-gpus.js'
import type { Finding } from './finding.js'
import { recordOf, type KeyPath } from './key-path.js'
import { nearestWord } from './nearest-word.js'

interface NodeAt {
  readonly pool: string
  readonly path: KeyPath
  readonly node: Readonly<Record<string, unknown>>
}

/** One entry of `nodes`: its engine, launch or attach, settings and environment. */
export function checkNode(at: NodeAt, context: CheckContext): Finding[] {
  const engine = at.node['engine']
  if (typeof engine !== 'string' || engine === '') return []
  const facts = context.engines.get(engine)
  return [
    ...(facts === undefined ? [unknownEngine(engine, at, context)] : checkWay(at, engine, facts)),
    ...checkArgs(at, context),
    ...checkAttach(at.node['attach'], { pool: at.pool, path: [...at.path, 'attach'], baseDir: context.baseDir }),
    ...checkEnv(at),
    ...checkGpus(recordOf(at.node['launch']), [...at.path, 'launch']),
    ...checkScale(recordOf(at.node['launch'])['replicas'], [...at.path, 'launch', 'replicas']),
  ]
}

function unknownEngine(engine: string, at: NodeAt, context: CheckContext): Finding {
  const installed = [...context.engines.keys()]
  const near = nearestWord(engine, installed)
  const plugin = /^[a-z0-9][a-z0-9-]*$/.test(engine) ? `lb plugins install lb-plugin-${engine}` : 'lb engines lists what is there'
  return {
    path: [...at.path, 'engine'],
    at: 'value',
    message: `pool ${at.pool}: no engine plugin brings \`${engine}\``,
    ...(near === undefined ? {} : { suggestion: near }),
    hint: `${plugin}   (installed: ${installed.length === 0 ? 'none' : installed.join(', ')})`,
  }
}

/** Exactly one of launch and attach, and one that this engine can. */
function checkWay(at: NodeAt, engine: string, facts: EngineFacts): Finding[] {
  const { launch, attach } = at.node
  const where = `pool ${at.pool}`
  if (launch !== undefined && attach !== undefined) {
    return [
      {
        path: [...at.path, 'attach'],
        at: 'key',
        message: `${where}: a node group has either launch or attach, not both`,
        hint: 'make two groups of it',
      },
    ]
  }
  if (launch !== undefined && !facts.canLaunch) {
    const message = `${where}: the plugin of \`${engine}\` cannot launch it yet`
    return [{ path: [...at.path, 'launch'], at: 'key', message, hint: `start ${engine} yourself and write attach: URL` }]
  }
  if (launch !== undefined && facts.needsCommand === true && recordOf(launch)['command'] === undefined) {
    return [
      {
        path: [...at.path, 'launch'],
        at: 'key',
        message: `${where}: \`${engine}\` has no command of its own to launch`,
        hint: "say what to run: command: [my-server, --port, '${PORT}']",
      },
    ]
  }
  if (launch !== undefined || attach !== undefined || facts.defaultAttachUrl !== undefined) return []
  const ways = facts.canLaunch ? 'launch: {} or attach: URL' : 'attach: URL'
  return [
    {
      path: [...at.path, 'engine'],
      at: 'value',
      message: `${where}: \`${engine}\` needs ${ways}`,
      hint: 'launch starts it here; attach says where it already runs',
    },
  ]
}

function checkArgs(at: NodeAt, context: CheckContext): readonly Finding[] {
  const engine = String(at.node['engine'])
  const facts = context.engines.get(engine)
  const launch = at.node['launch']
  const args = recordOf(launch)['args']
  const wrongKind = args !== undefined && (typeof args !== 'object' || args === null || Array.isArray(args))
  if (launch === undefined || facts === undefined || !facts.canLaunch || wrongKind) return []
  const path = [...at.path, 'launch', 'args']
  return context.checkSettings({ schema: facts.settings, owner: `engine ${engine}`, settings: args, path }).findings
}

/** A variable whose name ends like a secret's may not be written out; this catches the common slip, not every one. */
function checkEnv(at: NodeAt): Finding[] {
  return Object.entries(recordOf(recordOf(at.node['launch'])['env'])).flatMap(([name, value]): Finding[] => {
    if (typeof value !== 'string' || value === '' || !/(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD)$/i.test(name)) return []
    const path = [...at.path, 'launch', 'env', name]
    const message = `${name} looks like a secret and stands in the file; secrets never do`
    return [{ path, at: 'value', message, expected: `{ env: ${name} } or { file: PATH }`, secret: true }]
  })
}
