import { messageOf } from '../../errors/index.js'
import { shellWord } from '../ssh/shell-text.js'
import type { SshLink } from '../ssh/ssh-link.js'
import { TOOL_FOLDERS, type GpuMachine, type ToolRun } from './gpu-machine.js'

const TIMEOUT_MS = 5_000
/** For the way there and back, on top of the tool's own time. */
const WAY_MS = 10_000

/** Another machine, through a link: its tools and files, found and bounded by a shell over there. */
export async function sshGpuMachine(link: SshLink, timeoutMs = TIMEOUT_MS): Promise<GpuMachine> {
  const { stdout } = await link.run('uname -s')
  const read = async (command: string, path: string): Promise<string | undefined> => {
    const end = await link.run(`${command} ${shellWord(path)} 2>/dev/null`).catch(() => undefined)
    return end?.code === 0 ? end.stdout : undefined
  }
  return {
    platform: stdout.trim() === 'Darwin' ? 'darwin' : 'linux',
    run: (tool, args) => run(link, [tool, ...args], timeoutMs),
    readText: (path) => read('head -c 65536', path),
    list: async (path) => ((await read('ls -1', path)) ?? '').split('\n').filter((name) => name !== ''),
  }
}

async function run(link: SshLink, command: readonly string[], timeoutMs: number): Promise<ToolRun> {
  const [tool = '', ...args] = command
  const line = [tool, ...args].map(shellWord).join(' ')
  const script = `PATH="$PATH:${TOOL_FOLDERS.join(':')}"
LC_ALL=C
export PATH LC_ALL
command -v ${shellWord(tool)} >/dev/null 2>&1 || exit 127
if command -v timeout >/dev/null 2>&1; then
  # Its end by a signal must not be the end of this shell, which ssh would take for a lost link.
  timeout -s KILL ${timeoutMs / 1000} ${line} </dev/null
  exit $?
fi
exec ${line} </dev/null
`
  try {
    const { code, stdout, stderr } = await link.run(script, { withinMs: timeoutMs + WAY_MS })
    if (code === 127) return { code, stdout: '', stderr: '', failure: 'missing', detail: `${tool} is not installed` }
    if (code === 124 || code === 137)
      return { code: null, stdout, stderr, failure: 'hung', detail: `no answer within ${timeoutMs / 1000} s` }
    return { code, stdout, stderr }
  } catch (error) {
    return { code: null, stdout: '', stderr: '', failure: 'unstartable', detail: messageOf(error) }
  }
}
