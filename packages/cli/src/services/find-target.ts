import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { LbError, listTopologies, readState, statePaths, stateRoot, type StateFile, type StatePaths } from '@plimsoll/core/client'
import { wrongInput } from '../wrong-input.js'

export interface TargetQuery {
  readonly cwd: string
  readonly name?: string | undefined
  readonly file?: string | undefined
  readonly env?: NodeJS.ProcessEnv
}

/** One topology that runs, or that has left a state file. */
export interface Target {
  readonly name: string
  readonly paths: StatePaths
  /** Undefined when there is none, or it is torn. */
  readonly state: StateFile | undefined
}

/** The places where a topology file is looked for, as `lb up` does. */
const FILES = ['lb.yaml', 'lb.yml', 'lb.json', 'lb.config.ts', 'lb.config.mts', 'lb.config.js', 'lb.config.mjs', '.config/lb.yaml']

/** Which topology a command means, without reading the topology itself: that would cost ten times as much. Throws LB_NOT_RUNNING, LB_SEVERAL_RUNNING. */
export function findTarget(query: TargetQuery): Target {
  const { env = process.env } = query
  if (query.name !== undefined) return targetOf(checkedName(query.name), env)
  const known = knownTargets(env)
  const file = query.file === undefined ? nearestFile(query.cwd) : resolve(query.cwd, query.file)
  if (file !== undefined) return known.find((target) => isSameFile(target.state?.file, file)) ?? notRunning(file, known)
  const [first, ...others] = known
  if (first === undefined) throw none('nothing is running here')
  if (others.length === 0) return first
  throw new LbError(`several topologies are known: ${namesOf(known)}; and no topology file is here to choose by`, {
    code: 'LB_SEVERAL_RUNNING',
    source: 'operator',
    hint: `add --name ${first.name}`,
  })
}

/** Every topology with a state file. */
export function knownTargets(env: NodeJS.ProcessEnv = process.env): Target[] {
  return listTopologies(env).map((name) => targetOf(name, env))
}

/** Every topology with a folder of its own: logs outlive the state file. */
export function knownFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  const root = stateRoot(env)
  return existsSync(root) ? readdirSync(root).sort() : []
}

export function targetOf(name: string, env: NodeJS.ProcessEnv = process.env): Target {
  const paths = statePaths(name, env)
  return { name, paths, state: readState(paths.stateFile) }
}

/** From `cwd` up to the folder of the nearest package.json. */
export function nearestFile(cwd: string): string | undefined {
  const found = FILES.map((name) => join(cwd, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  const parent = dirname(cwd)
  return parent === cwd || existsSync(join(cwd, 'package.json')) ? undefined : nearestFile(parent)
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name)) return name
  throw wrongInput(`\`${name}\` cannot be the name of a topology`, 'names have letters, digits, dots, dashes and underscores')
}

function notRunning(file: string, known: readonly Target[]): never {
  const others = known.length === 0 ? '' : `; known are: ${namesOf(known)}`
  throw none(
    `the topology of ${file} is not running${others}`,
    known.length === 0 ? undefined : 'lb up starts it; --name means another one',
  )
}

function none(message: string, hint = 'lb up starts one; lb up --sim needs no file'): LbError {
  return new LbError(message, { code: 'LB_NOT_RUNNING', source: 'operator', hint })
}

function isSameFile(a: string | undefined, b: string): boolean {
  return a !== undefined && (a === b || real(a) === real(b))
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function namesOf(targets: readonly Target[]): string {
  return targets.map((target) => target.name).join(', ')
}
