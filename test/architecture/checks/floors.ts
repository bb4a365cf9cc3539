/** The law of floors: a room of core imports from its own folder and from lower floors, through the other room's index, so no cycle can exist. */
import { importsOf, targetOf } from '../imports.js'
import { isTest, type Check, type SourceFile, type Violation } from '../source-file.js'

/** Later floors (limits, insight, policies, rollout, autoscale) stand here already: the plan names them. */
export const floorOf: Readonly<Record<string, number>> = {
  errors: 0,
  base: 1,
  contracts: 1,
  wire: 2,
  machines: 2,
  state: 2,
  telemetry: 2,
  topology: 3,
  dialects: 3,
  nodes: 4,
  strategies: 4,
  discovery: 4,
  insight: 4,
  limits: 4,
  policies: 4,
  proxy: 5,
  health: 5,
  rollout: 5,
  autoscale: 5,
  residency: 5,
  gateway: 6,
  control: 6,
  balancer: 7,
}

/** One pair on one floor: contracts name the clock and the random source. */
const allowedOnOneFloor = new Set(['contracts -> base'])

const core = 'packages/core/src/'

/** The room of a core source; `''` for the entries index.ts and plugin.ts. */
export function roomOf(path: string): string | undefined {
  if (!path.startsWith(core)) return undefined
  const rest = path.slice(core.length)
  return rest.includes('/') ? rest.slice(0, rest.indexOf('/')) : ''
}

export const floors: Check = (files) => coreSources(files).flatMap((file) => [...unknownRoom(file), ...edgesOf(file).flatMap(judge)])

function coreSources(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => roomOf(path) !== undefined && !isTest(path))
}

function unknownRoom({ path }: SourceFile): readonly Violation[] {
  const room = roomOf(path)
  if (room === undefined || room === '' || room in floorOf) return []
  return [{ path, message: `the room ${room} is not in the plan; give it a floor in test/architecture/checks/floors.ts and an ADR` }]
}

interface Edge {
  readonly path: string
  readonly from: string
  readonly to: string
  readonly target: string
}

function edgesOf(file: SourceFile): readonly Edge[] {
  return importsOf(file).flatMap((each) => {
    const target = targetOf(file, each)
    if (target === undefined) return []
    return [{ path: file.path, from: roomOf(file.path) ?? '', to: roomOf(target) ?? 'outside', target }]
  })
}

function judge({ path, from, to, target }: Edge): readonly Violation[] {
  if (from === to) return []
  if (to === 'outside') return isPackageFile(target) ? [] : [{ path, message: `imports ${target}, which is outside core` }]
  if (to === '') return [{ path, message: 'imports the entry of the package, which stands above all rooms' }]
  const broken: Violation[] = []
  if (!target.endsWith(`/${to}/index.ts`))
    broken.push({ path, message: `enters ${to} by ${target}; a room is entered only through its index.js` })
  if (from !== '' && !mayLookDown(from, to))
    broken.push({ path, message: `${from} (floor ${floorOf[from]}) imports ${to} (floor ${floorOf[to]})` })
  return broken
}

/** Data that the package ships beside its code. */
const isPackageFile = (target: string) => /^packages\/core\/(package|lb\.schema)\.json$/.test(target)

function mayLookDown(from: string, to: string): boolean {
  return (floorOf[to] ?? Infinity) < (floorOf[from] ?? -1) || allowedOnOneFloor.has(`${from} -> ${to}`)
}
