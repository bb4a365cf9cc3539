/**
 * Stands in for `ollama serve`: the scripted server of the plugin's own tests as a process. It reads its address and its folder as Ollama does, keeps what
 * was pulled in the folder, and holds a loaded model in a child that leads a session of its own, as orphans of a killed Ollama do.
 * LB_TEST_PULL_PACE_MS: time between the lines of a pull.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ScriptedOllama } from '../../../packages/plugin-ollama/dist/scripted-ollama.test.fixture.js'

const folder = process.env['OLLAMA_MODELS'] ?? join(process.env['HOME'] ?? '', '.ollama/models')
const list = join(folder, 'pulled.json')
mkdirSync(folder, { recursive: true })

const server = new ScriptedOllama()
server.afterPullLine = () => sleep(Number(process.env['LB_TEST_PULL_PACE_MS'] ?? 0))
for (const name of existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as string[]) : []) server.add(name)
server.onPulled = () => writeFileSync(list, JSON.stringify([...server.pulled.keys()]))
server.loading = () => {
  // The child holds what a real one holds on a GPU; it ends by a signal only.
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { detached: true, stdio: 'ignore' })
  appendFileSync(join(folder, 'children'), `${child.pid ?? 0}\n`)
  return Promise.resolve()
}

const [host = '127.0.0.1', port = '11434'] = (process.env['OLLAMA_HOST'] ?? '').split(':')
await server.listen(Number(port))
process.stdout.write(`time=2026-11-21T10:00:00Z level=INFO msg="Listening on ${host}:${port} (version 0.33.0)"\n`)
process.on('SIGTERM', () => {
  for (const pid of existsSync(join(folder, 'children')) ? readFileSync(join(folder, 'children'), 'utf8').trim().split('\n') : [])
    end(Number(pid))
  process.exit(0)
})

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
