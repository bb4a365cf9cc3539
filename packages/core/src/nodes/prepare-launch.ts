import type { Backend, HeaderView, LaunchPlan, LaunchSlot } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { baseEnvironment, visibilityEnv, withoutVisibility } from '../machines/index.js'
import { launchHash } from './launch-hash.js'
import { planLaunch } from './launch-command.js'
import { createBackend, declaredEnv, type BackendContext } from './node-runner.js'
import type { NodePlan } from './node-plan.js'
import { directUrl, remoteEnvironment, remoteLaunch, remoteSlot, type RemoteLaunch } from './remote-launch.js'

/** Everything that is known of a launch before it happens. */
export interface PreparedLaunch {
  readonly url: string
  readonly slot: LaunchSlot
  readonly plan: LaunchPlan
  /** The whole environment but for the mark. */
  readonly env: Readonly<Record<string, string>>
  readonly hash: string
  /** Where the engine is launched on another machine. */
  readonly remote?: RemoteLaunch
  readonly backend: Backend
  readonly authHeaders: HeaderView
}

/** How an engine finds out which ports it would get, as many as it asks for beside its own. */
export type SlotMaker = (backend: Backend) => Promise<LaunchSlot>

/** Throws LB_CANNOT_LAUNCH, LB_PLUGIN_FAILED, LB_SECRET_IN_ARGS, or what a missing secret throws. */
export async function prepareLaunch(
  node: NodePlan,
  port: number,
  slotOf: SlotMaker,
  context: BackendContext & { readonly topologyName?: string },
): Promise<PreparedLaunch> {
  const { host } = node.group
  const url = host?.directAddress === undefined ? `http://127.0.0.1:${port}` : directUrl(host.directAddress, port)
  const made = createBackend(node, url, context)
  const slot = await slotOf(made.backend)
  const plan =
    host === undefined
      ? planLaunch(made.backend, node.group, slot, context.env)
      : planLaunch(made.backend, node.group, remoteSlot(slot, host), remoteEnvironment)
  const own = declaredEnv(node.group.launch?.env ?? {}, context.env)
  const chosen =
    slot.gpus === undefined ? {} : visibilityEnv(slot.gpus, made.backend.gpuIds ?? 'uuid', host === undefined ? process.platform : 'linux')
  const declared = { ...plan.env, ...own, ...chosen }
  const env = baseEnvironment(declared, slot.gpus === undefined ? context.env : withoutVisibility(context.env))
  refuseSecretsIn(plan, secretsOf(node, { ...plan.env, ...own }, plan, made.authHeaders))
  const { topologyName = 'plan' } = context
  const remote = host === undefined ? undefined : remoteLaunch(node, host, { ...made, slot, plan, declared, topologyName })
  const hash = remote?.hash ?? (await launchHash(node, { plan, declared, env }))
  return { url, slot, plan, env, hash, ...(remote === undefined ? {} : { remote }), ...made }
}

/** Shorter ones would be found in ordinary words. */
const SHORTEST_SECRET = 8

function secretsOf(node: NodePlan, env: Readonly<Record<string, string>>, plan: LaunchPlan, authHeaders: HeaderView): string[] {
  const references = Object.entries(node.group.launch?.env ?? {}).flatMap(([name, value]) => (typeof value === 'string' ? [] : [name]))
  const values = [...references, ...(plan.secretEnv ?? [])].map((name) => env[name] ?? '')
  const key = authHeaders['authorization']?.replace(/^Bearer /, '') ?? ''
  return [...values, key].filter((value) => value.length >= SHORTEST_SECRET)
}

/** Every user of a machine can read every command line. */
function refuseSecretsIn(plan: LaunchPlan, secrets: readonly string[]): void {
  const at = plan.args.findIndex((arg) => secrets.some((secret) => arg.includes(secret)))
  if (at === -1) return
  throw new LbError(
    `argument ${at + 1} of \`${plan.command}\` holds a key or another secret, where every user of the machine could read it`,
    {
      code: 'LB_SECRET_IN_ARGS',
      source: 'operator',
      hint: 'hand it over in `launch.env` as { env: NAME } or { file: PATH }',
    },
  )
}
