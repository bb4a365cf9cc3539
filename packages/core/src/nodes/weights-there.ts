import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import type { WeightsPlace } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { commitScript, namesScript, sampleScript, SshLink, wholeScript } from '../machines/index.js'
import type { GroupPlan, HostPlan } from '../topology/index.js'

/** What the weights of an engine on another machine are, or why nobody can tell. */
export type WeightsTold = { readonly content: string } | { readonly untold: string }

export interface ThereOptions {
  /** For ssh. */
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
  /** Over all their bytes: takes minutes. */
  readonly isWhole?: boolean
}

const LOOK_WITHIN_MS = 15_000
const COUNT_WITHIN_MS = 30 * 60_000

/** Looks at another machine, through a link of its own that is closed at once: nothing is installed there, and nothing stays. Never throws. */
export async function weightsThere(
  { host, launch }: Pick<GroupPlan, 'host' | 'launch'>,
  place: WeightsPlace | undefined,
  options: ThereOptions,
): Promise<WeightsTold> {
  if (host === undefined || place === undefined) return { untold: 'its engine does not say where it looks for them' }
  let link: SshLink | undefined
  const run = async (script: string, withinMs = LOOK_WITHIN_MS): Promise<readonly string[]> => {
    const { signal } = options
    link ??= linkTo(host, options.env)
    const { stdout, code } = await link.run(script, { withinMs, ...(signal === undefined ? {} : { signal }) })
    if (code !== 0) throw new Untold(`its shell ended with ${code ?? 'a signal'}`)
    const lines = stdout.split('\n').filter((line) => line !== '')
    const untold = lines.find((line) => line.startsWith('untold '))
    if (untold !== undefined) throw new Untold(untold.slice('untold '.length))
    return lines
  }
  try {
    const content =
      place.kind === 'hub' ? await commitOf(place, plainEnv(launch?.env), run) : await contentOf(place, run, options.isWhole === true)
    return { content }
  } catch (error) {
    return { untold: `${host.name}: ${messageOf(error).slice(0, 300)}` }
  } finally {
    link?.close()
  }
}

type RunThere = (script: string, withinMs?: number) => Promise<readonly string[]>

class Untold extends Error {}

async function commitOf(
  { repo, revision, cacheVariable }: Extract<WeightsPlace, { kind: 'hub' }>,
  env: Readonly<Record<string, string>>,
  run: RunThere,
): Promise<string> {
  const script = commitScript({ repo, revision, env, ...(cacheVariable === undefined ? {} : { cacheVariable }) })
  const commit = (await run(script)).map((line) => /^commit ([0-9a-f]{40})$/.exec(line)?.[1]).find((found) => found !== undefined)
  if (commit === undefined) throw new Untold('its cache of the hub names no commit')
  return `commit:${commit}`
}

async function contentOf(place: Exclude<WeightsPlace, { kind: 'hub' }>, run: RunThere, isWhole: boolean): Promise<string> {
  const paths = place.kind === 'files' ? place.paths : await filesIn(place, run)
  if (paths.length === 0) throw new Untold('its engine names no file of them')
  return isWhole ? wholeOf(paths, run) : sampleOf(paths, run)
}

async function filesIn({ folder, endings }: Extract<WeightsPlace, { kind: 'folder' }>, run: RunThere): Promise<readonly string[]> {
  const names = (await run(namesScript(folder, endings))).flatMap((line) => (line.startsWith('name ') ? [line.slice('name '.length)] : []))
  if (names.length === 0) throw new Untold(`there are no weights in ${folder}`)
  return names.toSorted().map((name) => join(folder, name))
}

async function sampleOf(paths: readonly string[], run: RunThere): Promise<string> {
  const [, bytes, hex] = (await run(sampleScript(paths))).map((line) => /^sample (\d+) ([0-9a-f]{64})$/.exec(line)).find(Boolean) ?? []
  if (bytes === undefined || hex === undefined) throw new Untold('its answer cannot be read')
  return `sample:${bytes}:${hex.slice(0, 16)}`
}

async function wholeOf(paths: readonly string[], run: RunThere): Promise<string> {
  const hashes = (await run(wholeScript(paths), COUNT_WITHIN_MS)).flatMap((line) => /^whole ([0-9a-f]{64})$/.exec(line)?.[1] ?? [])
  const [first] = hashes
  if (first === undefined || hashes.length !== paths.length) throw new Untold('its answer cannot be read')
  if (hashes.length === 1) return `sha256:${first}`
  const lines = paths.map((path, index) => `${basename(path)} ${hashes[index] ?? ''}\n`)
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`
}

function linkTo({ name, ssh: destination, sshConfig: configFile }: HostPlan, env: NodeJS.ProcessEnv): SshLink {
  return new SshLink({ name, destination, env, ...(configFile === undefined ? {} : { configFile }) })
}

/** Secrets have no say in where weights lie. */
function plainEnv(env: NonNullable<GroupPlan['launch']>['env'] = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
}
