import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../engines/processes.js'
import { binary, finished, House, simTopology, until } from './house.js'

let house: House

beforeAll(async () => {
  house = new House(simTopology({ replicas: 2 }))
  await house.up()
})

afterAll(async () => {
  await house.close()
})

async function json(args: readonly string[]): Promise<unknown> {
  const result = await house.lb([...args, '--json'])
  expect(result.code, result.stderr).toBe(0)
  return JSON.parse(result.stdout)
}

const states = async () => Object.fromEntries((await house.status()).pools[0]?.nodes.map((node) => [node.id, node.state]) ?? [])

describe('commands while a balancer runs', () => {
  it('lb ask streams the answer to stdout and the figures to stderr', async () => {
    const result = await house.lb(['ask', 'What is a load line?'])
    expect(result.code, result.stderr).toBe(0)
    expect(result.stdout).toMatch(/^This is a simulated answer/)
    expect(result.stderr).toMatch(/demo\/sim-[01].*TTFT.*tok\/s/s)
    expect(await json(['ask', 'again'])).toMatchObject({ model: 'sim-8b', node: expect.stringMatching(/^demo\//) as string })
  })

  it('lb ask names the models when it is given another', async () => {
    const result = await house.lb(['ask', '--model', 'nope', 'hi'])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toMatch(/sim-8b/)
  })

  it('lb ask leaves quietly with whoever reads its answer', async () => {
    const child = spawn('sh', ['-c', `${binary} ask hello --max-tokens 2000 | head -c 10`], { cwd: house.cwd, env: house.env })
    const { stdout, stderr } = await finished(child)
    expect(stdout).toHaveLength(10)
    expect(stderr).not.toMatch(/Warning|Error|await/)
  })

  it('lb nodes drain, resume and restart do what they say', async () => {
    expect((await house.lb(['nodes', 'drain', 'demo/sim-0'])).code).toBe(0)
    expect(await states()).toMatchObject({ 'demo/sim-0': 'draining', 'demo/sim-1': 'ready' })
    expect((await house.lb(['nodes', 'resume', 'demo/sim-0'])).code).toBe(0)
    expect(await states()).toMatchObject({ 'demo/sim-0': 'ready' })
    const before = (await house.status()).pools[0]?.nodes[1]?.pid
    expect((await house.lb(['nodes', 'restart', 'demo/sim-1'])).code).toBe(0)
    await until(async () => {
      const node = (await house.status()).pools[0]?.nodes[1]
      return node?.state === 'ready' && node.pid !== before
    })
    expect((await house.lb(['nodes', 'drain', 'demo/none'])).stderr).toMatch(/demo\/sim-0/)
  })

  it('lb logs shows what the engines said', async () => {
    const result = await house.lb(['logs', 'demo/sim-0'])
    expect(result.code, result.stderr).toBe(0)
    expect(result.stdout).toMatch(/lb-sim-engine/)
  })

  it('lb plan shows exact command lines without starting anything', async () => {
    const before = house.survivors().length
    const result = await house.lb(['plan'])
    expect(result.stdout).toMatch(/lb-sim-engine\.js --port/)
    expect(house.survivors().length).toBe(before)
  })

  it.each([[['status']], [['nodes', 'list']], [['plan']], [['config']], [['engines']], [['strategies']], [['paths']]])(
    '%j --json is one document',
    async (args) => {
      expect(await json(args)).toBeTypeOf('object')
    },
  )

  it('lb top without a terminal prints one plain picture', async () => {
    const result = await house.lb(['top'])
    expect(result.code, result.stderr).toBe(0)
    expect(result.stdout).toMatch(/sim-0.*ready/)
  })

  it('a second lb up says that it runs already', async () => {
    const result = await house.lb(['up', '--detach'])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/already running/)
  })
})

describe('commands while none runs', () => {
  it('end with 5 and say how to start one', async () => {
    const other = new House(simTopology())
    try {
      for (const args of [['status'], ['nodes', 'list'], ['ask', 'hi'], ['top']]) {
        const result = await other.lb(args)
        expect(result.code, args.join(' ')).toBe(5)
        expect(result.stderr, args.join(' ')).toMatch(/lb up/)
      }
    } finally {
      await other.close()
    }
  })
})

describe('a command that lb does not have', () => {
  it.each([
    ['stop', 'lb down'],
    ['start', 'lb up'],
    ['reload', 'lb rollout start POOL --file PATH'],
    ['statsu', 'lb status'],
    ['constructor', 'lb --help'],
  ])('%s is answered with the one that is meant', async (typed, meant) => {
    const result = await house.lb([typed])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toContain(`there is no command \`${typed}\``)
    expect(result.stderr).toContain(`try: ${meant} `)
  })
})

describe('a shell whose folder was removed', () => {
  it('is told so', async () => {
    const script = `mkdir gone && cd gone && rmdir ../gone && ${binary} status`
    const { code, stderr } = await finished(spawn('sh', ['-c', script], { cwd: house.cwd, env: house.env }))
    expect(code).toBe(1)
    expect(stderr).toContain('lb: the folder that this shell stands in was removed; cd to one that is there')
  })
})

describe('a port that is taken', () => {
  it('is told with who listens there, where that is lb too', async () => {
    const { name, gateway } = await house.status()
    const { port } = new URL(gateway.listen[0] ?? '')
    house.write('other.yaml', `name: other\n${simTopology()}`.replace(`127.0.0.1:0`, `127.0.0.1:${port}`))
    const result = await house.lb(['up', '--detach', '--file', 'other.yaml'])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain(`the topology ${name} of yours listens there`)
    expect(result.stderr).toContain(`lb down --name ${name}`)
  })
})

describe('the path of a unix socket', () => {
  const onPath = (path: string): string => simTopology({ replicas: 1 }).replace('127.0.0.1:0', `'unix:${path}'`)

  it('is never cleared of a file of somebody else, nor taken from who listens there', async () => {
    const other = new House()
    const server = createServer()
    try {
      const precious = other.write('precious', 'all that I have')
      const taken = join(other.cwd, 'taken.sock')
      await new Promise<void>((resolve) => server.listen(taken, resolve))
      for (const [path, told] of [
        [precious, 'something else than a socket is there'],
        [taken, 'another program listens there'],
        [join(other.cwd, 'no-folder/lb.sock'), 'its folder is not there'],
      ] as const) {
        other.write('lb.yaml', onPath(path))
        const result = await other.lb(['up', '--detach'])
        expect(result.code, path).toBe(1)
        expect(result.stderr).toContain(`the gateway cannot listen on unix:${path}: ${told}`)
      }
      expect(readFileSync(precious, 'utf8')).toBe('all that I have')
      expect(existsSync(taken)).toBe(true)
    } finally {
      server.close()
      await other.close()
    }
  })

  it('is taken over from a balancer that was killed', async () => {
    const other = new House()
    try {
      other.write('lb.yaml', onPath(join(other.cwd, 'lb.sock')))
      await other.up()
      const killed = other.survivors()
      for (const pid of killed) process.kill(pid, 'SIGKILL')
      // A busy machine takes a while over it, and what still dies is still running.
      await until(() => !killed.some(isAlive))
      expect(existsSync(join(other.cwd, 'lb.sock'))).toBe(true)
      expect(await other.up()).toBe(`unix:${join(other.cwd, 'lb.sock')}`)
    } finally {
      await other.close()
    }
  })
})

describe('a state folder that cannot be written', () => {
  it('is told by its name, with the variable that names another', async () => {
    const other = new House(simTopology({ replicas: 1 }))
    try {
      const file = other.write('a-file', '')
      const result = await other.lb(['up', '--detach'], { XDG_STATE_HOME: file })
      expect(result.code).toBe(1)
      expect(result.stderr).toMatch(/lb cannot write to its folder .*a-file.*logs: a part of its path is a file/)
      expect(result.stderr).toContain('XDG_STATE_HOME=PATH')
    } finally {
      await other.close()
    }
  })
})

describe('help', () => {
  it.each([
    'init',
    'up',
    'down',
    'status',
    'top',
    'ask',
    'config',
    'plan',
    'logs',
    'models',
    'models pull',
    'nodes drain',
    'engines',
    'strategies',
    'paths',
    'purge',
    'rollout start',
    'scale',
  ])('of lb %s has examples', async (command) => {
    const result = await house.lb([...command.split(' '), '--help'])
    expect(result.code).toBe(0)
    expect(result.stdout).toMatch(/EXAMPLES/)
  })
})
