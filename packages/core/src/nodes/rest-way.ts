import type { Backend } from '../contracts/index.js'
import type { Node } from './node.js'

/** How a node gives its memory back: its engine sleeps, it lets go of its model, its process ends, or it only gets no more requests because nobody can ask it for more. */
export type RestWay = 'sleep' | 'unload' | 'stop' | 'idle'

/** For people, of a node that rests. */
export const restWords: Readonly<Record<RestWay, string>> = {
  sleep: 'rests: its engine sleeps until a request comes',
  unload: 'rests: its model is out of memory until a request comes',
  stop: 'rests: no process runs until a request comes',
  idle: 'rests: it gets no requests, but nobody can ask its engine to give its memory back',
}

type Resting = Required<Pick<Backend, 'sleep' | 'wake'>>

/** The gentlest way that a node has: an engine that can sleep is asked to, one that keeps models lets go of its own, what was launched can always be stopped. */
export function restWayOf(node: Node): RestWay {
  const { endpoint, plan } = node
  if (endpoint !== undefined && restingOf(node, 'sleep') !== undefined) return 'sleep'
  if (endpoint !== undefined && restingOf(node, 'unload') !== undefined) return 'unload'
  return plan.group.launch === undefined ? 'idle' : 'stop'
}

/** What puts its engine to rest in this way, and wakes it again; undefined where it cannot. */
export function restingOf({ plan, endpoint }: Node, way: RestWay): Resting | undefined {
  const { sleep, wake, models, modelName } = endpoint?.backend ?? {}
  if (way === 'sleep') return sleep === undefined || wake === undefined ? undefined : { sleep, wake }
  const { load, unload, list } = models ?? {}
  if (way !== 'unload' || load === undefined || unload === undefined) return undefined
  const { group, pool } = plan
  const own = group.model ?? modelName
  const names = own === undefined ? pool.models : [own]
  return {
    async sleep(signal) {
      // What is out of memory already need not be asked for; what it does not list, it may know by another name.
      const kept = (await list?.(signal)) ?? []
      const isOut = (name: string): boolean => kept.some((model) => isCalled(model.name, name) && model.loaded === false)
      for (const name of names) if (!isOut(name)) await unload(name, signal)
    },
    wake: (signal) => load(names[0] ?? '', signal),
  }
}

/** Some engines add a tag to a name that has none. */
function isCalled(listed: string, name: string): boolean {
  return listed === name || listed === `${name}:latest`
}
