import { execFileSync, spawnSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { House, binary, simTopology, until } from './house.js'

const tmux = spawnSync('tmux', ['-V']).status === 0
let house: House
let socket: string

afterEach(async () => {
  spawnSync('tmux', ['-L', socket, 'kill-server'])
  await house.close()
})

function open(size: { columns: number; rows: number }, args: string): void {
  socket = `lb-${process.pid}-${Math.floor(performance.now())}`
  const env = Object.entries({ ...house.env, TERM: 'xterm-256color' }).flatMap(([name, value]) =>
    value === undefined ? [] : ['-e', `${name}=${value}`],
  )
  const command = [
    'new-session',
    '-d',
    '-x',
    String(size.columns),
    '-y',
    String(size.rows),
    ...env,
    '-c',
    house.cwd,
    `${binary} ${args}; echo ended with $?; sleep 60`,
  ]
  execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...command])
}

const pane = (): string => execFileSync('tmux', ['-L', socket, 'capture-pane', '-p']).toString('utf8')
const press = (key: string): void => void execFileSync('tmux', ['-L', socket, 'send-keys', key])

describe.skipIf(!tmux)('the live view in a real terminal (needs tmux)', () => {
  it('shows nodes before and after one dies, and quits as asked', async () => {
    house = new House(simTopology({ replicas: 4 }))
    open({ columns: 100, rows: 30 }, 'up')
    await until(() => (pane().match(/ready/g) ?? []).length >= 4, 30_000)
    expect(pane()).toMatch(/http:\/\/127\.0\.0\.1:\d+/)
    expect(pane()).toMatch(/sim-3/)
    const victim = (await house.status()).pools[0]?.nodes[2]
    process.kill(victim?.pid ?? 0, 'SIGKILL')
    await until(() => /sim-2.*(failed|starting|exit|killed|SIGKILL)/i.test(pane()), 15_000)
    await until(async () => (await house.status()).pools[0]?.nodes[2]?.state === 'ready', 15_000)
    await until(() => (pane().match(/ready/g) ?? []).length >= 4, 15_000)
    press('q')
    await until(() => /stop|leave/i.test(pane()), 5_000)
    press('s')
    await until(() => /ended with 0/.test(pane()), 20_000)
    await until(() => house.survivors().filter((pid) => pid !== process.pid).length <= 2, 10_000)
  })

  it('fits a narrow terminal and a closed one drains and stops', async () => {
    house = new House(simTopology({ replicas: 2 }))
    open({ columns: 50, rows: 20 }, 'up')
    await until(() => /sim/.test(pane()) && /ready/.test(pane()), 30_000)
    for (const line of pane().split('\n')) expect(Array.from(line).length).toBeLessThanOrEqual(50)
    const { pid } = await house.status()
    spawnSync('tmux', ['-L', socket, 'kill-server'])
    await until(() => !house.survivors().includes(pid), 20_000)
  })
})
