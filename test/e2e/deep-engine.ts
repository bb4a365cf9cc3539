/** Topologies whose engines stand at the end of a chain of processes, as a container runtime or `uv run` makes them. */
import type { House } from './house.js'

/** Ignores every polite signal and has left the engine's process group. */
const WORKER = "for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => {}); setInterval(() => {}, 1000)"
const HELPER = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(WORKER)}], { stdio: 'ignore', detached: true }); setInterval(() => {}, 1000)`
/** Starts the engine as its child, and a helper whose own child calls setsid. */
const WRAPPER = `import { spawn } from 'node:child_process'
spawn(process.execPath, ['-e', ${JSON.stringify(HELPER)}], { stdio: 'ignore' })
spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1))
`

/** Processes of one node: wrapper, engine, helper, and the helper's worker in a session of its own. */
export const PROCESSES_OF_A_NODE = 4

export interface DeepOptions {
  readonly replicas: number
  readonly loadMs: number
  /** Changes what is launched. */
  readonly seed?: number
  readonly group?: string
}

/** Writes wrapper and topology into the house. */
export function writeDeepTopology(house: House, { replicas, loadMs, seed = 0, group = 'sim' }: DeepOptions): void {
  const wrapper = house.write('wrapper.mjs', WRAPPER)
  house.write(
    'lb.yaml',
    `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - name: ${group}
        engine: sim
        launch: { replicas: ${replicas}, command: ['${process.execPath}', '${wrapper}'], args: { profile: instant, loadMs: ${loadMs}, seed: ${seed} } }
`,
  )
}
