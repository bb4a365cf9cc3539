/** No room of a package reaches itself through its imports, type imports included: what cannot be read in an order cannot be understood in one. */
import { importsOf, targetOf } from '../imports.js'
import { isTest, type Check, type SourceFile, type Violation } from '../source-file.js'

/** The packages that are large enough for rooms; a plugin is one room, and the linter finds cycles between files. */
const hasRooms = /^packages\/(core|cli)\/src\/.*\.tsx?$/

type Graph = ReadonlyMap<string, readonly string[]>

export const roomCycles: Check = (files) => {
  const graph = roomGraph(files)
  const seen = new Set<string>()
  return [...graph.keys()].flatMap((room) => walk(graph, room, [], seen))
}

function roomGraph(files: readonly SourceFile[]): Graph {
  const graph = new Map<string, string[]>()
  for (const file of files) {
    if (!hasRooms.test(file.path) || isTest(file.path)) continue
    const from = roomPath(file.path)
    const targets = importsOf(file).flatMap((each) => targetOf(file, each) ?? [])
    graph.set(from, [...(graph.get(from) ?? []), ...targets.map(roomPath).filter((to) => to !== from)])
  }
  return graph
}

/** `packages/cli/src/views/board/a.ts` and `packages/cli/src/views/b.ts` are one room: views. A file that lies beside the rooms stands for itself. */
function roomPath(path: string): string {
  return path.split('/').slice(0, 4).join('/')
}

function walk(graph: Graph, room: string, trail: readonly string[], seen: Set<string>): readonly Violation[] {
  const start = trail.indexOf(room)
  if (start >= 0) return [{ path: room, message: `a cycle: ${[...trail.slice(start), room].join(' -> ')}` }]
  if (seen.has(room)) return []
  const found = [...new Set(graph.get(room))].flatMap((next) => walk(graph, next, [...trail, room], seen))
  seen.add(room)
  return found
}
