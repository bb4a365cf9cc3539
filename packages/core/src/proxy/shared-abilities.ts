import type { Face, RosterNode } from '../contracts/index.js'

/** What all nodes of one list can do: made once for each list that a roster hands out, so that a request that any of them could take is known at a glance. */
export class SharedAbilities {
  private static readonly known = new WeakMap<readonly RosterNode[], SharedAbilities>()

  static of(nodes: readonly RosterNode[]): SharedAbilities {
    let shared = this.known.get(nodes)
    if (shared === undefined) this.known.set(nodes, (shared = new SharedAbilities(nodes)))
    return shared
  }

  /** The smallest context. */
  private readonly contextTokens: number
  /** Names that all of them answer to; undefined: any name. */
  private readonly names: ReadonlySet<string> | undefined
  private readonly faces = new Map<Face, boolean>()
  /** None of them is kept for computing prompts, and none is just coming back after a failure. */
  private readonly allAnswer: boolean

  private constructor(private readonly nodes: readonly RosterNode[]) {
    this.contextTokens = Math.min(...nodes.map(({ contextTokens = Number.POSITIVE_INFINITY }) => contextTokens))
    this.names = namesOf(nodes)
    this.allAnswer = nodes.every(({ role, trial, admission }) => role !== 'prefill' && trial === undefined && admission === undefined)
  }

  /** True: each of them could take it. */
  suit(face: Face, model: string, neededTokens: number): boolean {
    return this.allAnswer && neededTokens <= this.contextTokens && (this.names === undefined || this.names.has(model)) && this.speak(face)
  }

  private speak(face: Face): boolean {
    let all = this.faces.get(face)
    if (all === undefined) this.faces.set(face, (all = this.nodes.every(({ dialect }) => dialect.paths[face] !== undefined)))
    return all
  }
}

function namesOf(nodes: readonly RosterNode[]): ReadonlySet<string> | undefined {
  let names: ReadonlySet<string> | undefined
  for (const { serves, model } of nodes) {
    if (serves === undefined || model !== undefined) continue
    const own: ReadonlySet<string> = new Set(serves)
    names = names === undefined ? own : new Set([...names].filter((name) => own.has(name)))
  }
  return names
}
