/** Topologies of real llama-servers, and what those say of themselves. */
import type { House, NodeRow } from '../e2e/house.js'

/** Two nodes of two slots; `more` goes under `launch`. One thread each: a test machine is small. */
export function llamaTopology(options: {
  readonly command: string
  readonly model: string
  readonly replicas?: number
  readonly more?: string
}): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  real:
    models: [tiny]
    nodes:
      - name: llama
        engine: llamacpp
        launch:
          replicas: ${options.replicas ?? 2}
          command: [${options.command}]
          model: ${options.model}
          args: { contextTokens: 32768, slots: 2, threads: 1, cacheRamMiB: 0 }
${options.more ?? ''}`
}

/** Requests that this llama-server works on, by its own slots. */
export async function busySlots(engine: string): Promise<number> {
  const slots = (await (await fetch(`${engine}/slots`)).json()) as { readonly is_processing: boolean }[]
  return slots.filter((slot) => slot.is_processing).length
}

export async function nodeRows(house: House): Promise<readonly NodeRow[]> {
  return (await house.status()).pools.flatMap((pool) => pool.nodes)
}

export async function nodeUrls(house: House): Promise<string[]> {
  return (await nodeRows(house)).map((node) => node.url)
}
