/** The commands of rollouts, scale and residency, against a real balancer with simulated engines. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { binary, finished, House, isLong, until } from './house.js'

interface Rollout {
  readonly id: string
  readonly phase: string
  readonly reason: string | null
  readonly from: { readonly revision: string; readonly hash: string }
  readonly to: { readonly revision: string; readonly hash: string; readonly nodes: readonly string[] }
}

let house: House
let load: Load | undefined

afterEach(async () => {
  await load?.end()
  load = undefined
  await house.close()
})

/** Few requests, some of them streams, as long as it is not ended. */
class Load {
  failed: string[] = []
  answered = 0
  private readonly timer: NodeJS.Timeout
  private readonly open = new Set<Promise<void>>()

  constructor(private readonly url: string) {
    this.timer = setInterval(() => this.one(), 25)
  }

  async end(): Promise<void> {
    clearInterval(this.timer)
    await Promise.all(this.open)
  }

  private one(): void {
    const asked = this.ask(this.answered % 2 === 0)
      .then(() => void (this.answered += 1))
      .catch((error: unknown) => void (this.failed.length < 5 && this.failed.push(String(error))))
    this.open.add(asked)
    void asked.finally(() => this.open.delete(asked))
  }

  private async ask(stream: boolean): Promise<void> {
    const body = { model: 'sim-8b', stream, max_tokens: 12, messages: [{ role: 'user', content: `tell me of ${this.answered % 40}` }] }
    const answer = await fetch(`${this.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (answer.status !== 200 || !(stream ? /\[DONE\]/ : /simulated/).test(text)) throw new Error(`${answer.status}: ${text.slice(0, 200)}`)
  }
}

function topology({ args = '', rollout = '', more = '' } = {}): string {
  return `version: 1
name: demo
gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [sim-8b]
    rollout: { steps: [50%, 100%], hold: 1s, judge: { minSamples: 10, ttft: x50, tpot: x50 }${rollout} }
    nodes:
      - name: gpu
        engine: sim
        launch: { replicas: 2, args: { profile: instant${args} } }
${more}`
}

async function open(text: string): Promise<void> {
  house = new House(text)
  load = new Load(await house.up())
}

const json = async <Document>(args: readonly string[], code = 0): Promise<Document> => {
  const result = await house.lb([...args, '--json'])
  expect(result.code, result.stderr).toBe(code)
  return JSON.parse(result.stdout) as Document
}
const status = (): Promise<Rollout> => json<Rollout>(['rollout', 'status', 'chat'])
/** None yet: the balancer answers 404. */
const phaseNow = (): Promise<string | undefined> =>
  house.control<Rollout>('/v1/rollouts/chat').then(
    ({ phase }) => phase,
    () => undefined,
  )
const inPhase = (...phases: readonly string[]): Promise<void> => until(async () => phases.includes((await phaseNow()) ?? ''), 30_000)

describe('lb rollout', () => {
  it('takes a good revision live with 0, undoes it byte for byte, and lists both', async () => {
    await open(topology())
    const promoted = await house.lb(['rollout', 'start', 'chat', '--set', 'launch.args.seed=5', '--wait'])
    expect(promoted.code, promoted.stderr + promoted.stdout).toBe(0)
    expect(promoted.stdout).toMatch(/chat-1 +chat +canary +promoted/)
    expect(promoted.stdout).toMatch(/errors +0\.0 % +0\.0 % +at most \+1 % +good/)
    expect(promoted.stderr).toMatch(/r2 of chat is live\. lb rollout undo chat/)
    const { from, to } = await status()
    const undone = await json<Rollout>(['rollout', 'undo', 'chat', '--wait'])
    expect([undone.phase, undone.to.revision, undone.to.hash]).toEqual(['promoted', from.revision, from.hash])
    const history = await house.lb(['rollout', 'history', 'chat'])
    expect(history.stdout).toMatch(new RegExp(`r2 +${to.hash} .* promoted`))
    expect(history.stdout).toMatch(new RegExp(`r1 +${from.hash} .* running`))
    expect(history.stdout).toMatch(/chat-2 +chat +canary/)
    expect((await house.lb(['status'])).stdout).toMatch(/rollout chat .*promoted at/)
    await load?.end()
    expect([load?.failed, (load?.answered ?? 0) > 40]).toEqual([[], true])
  })

  it('leaves with 3 when it was rolled back, and says why', async () => {
    await open(topology())
    const result = await house.lb(['rollout', 'start', 'chat', '--set', 'launch.args.fault=small-context', '--wait'])
    expect(result.code, result.stderr).toBe(3)
    expect(result.stderr).toMatch(/r2 of chat was rolled back: chat\/gpu-r2-0 takes 256 tokens of context/)
    const watched = await house.lb(['rollout', 'watch', 'chat'])
    expect([watched.code, watched.stdout]).toEqual([3, expect.stringContaining('r1 takes everything again')])
    await load?.end()
    expect(load?.failed).toEqual([])
  })

  it.runIf(isLong)('leaves with 4 when somebody takes it back while it is waited for', async () => {
    await open(topology())
    const waiting = finished(house.start(['rollout', 'start', 'chat', '--set', 'launch.args.seed=5', '--hold', '1h', '--wait', '--json']))
    await inPhase('holding')
    const compared = await house.lb(['rollout', 'compare', 'chat'])
    expect(compared.stdout).toMatch(/FIGURE +NEW +OLD +LIMIT/)
    expect((await house.lb(['rollout', 'pause', 'chat'])).stderr).toMatch(/is paused/)
    expect((await status()).phase).toBe('paused')
    expect((await house.lb(['rollout', 'pause', 'chat'])).code).toBe(1)
    expect((await house.lb(['rollout', 'start', 'chat', '--model', 'other'])).code).toBe(1)
    expect((await house.lb(['rollout', 'resume', 'chat'])).code).toBe(0)
    const late = await house.lb(['rollout', 'watch', 'chat', '--timeout', '1s'])
    expect([late.code, late.stderr]).toEqual([1, expect.stringMatching(/not over after 1 s .*; it goes on/)])
    const unread = spawn('sh', ['-c', `${binary} rollout watch chat --json | head -1`], { cwd: house.cwd, env: house.env })
    const left = finished(unread)
    const aborted = await house.lb(['rollout', 'abort', 'chat', '--wait'])
    expect([aborted.code, aborted.stderr]).toEqual([
      4,
      expect.stringMatching(/^r2 of chat is taken back\.\n[\d:]+ {2}r1 takes everything again/),
    ])
    expect((JSON.parse((await left).stdout) as Rollout).phase).toMatch(/stepping|holding/)
    const { code, stdout } = await waiting
    expect([code, (JSON.parse(stdout) as Rollout).phase]).toEqual([4, 'aborted'])
    await load?.end()
    expect(load?.failed).toEqual([])
  })

  it.runIf(isLong)('asks where it was told to; to go on in spite of the judge takes a yes', async () => {
    await open(topology())
    expect(
      (await house.lb(['rollout', 'start', 'chat', '--set', 'launch.args.fault=errors:60%', '--rollback', 'ask', '--steps', '50%,100%']))
        .code,
    ).toBe(0)
    await inPhase('asking')
    const refused = await house.lb(['rollout', 'promote', 'chat'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('no terminal to ask on')])
    expect((await status()).phase).toBe('asking')
    expect((await house.lb(['rollout', 'abort', 'chat', '--wait'])).code).toBe(4)
    await load?.end()
    expect(load?.failed).toEqual([])
  })

  it('takes the changed node groups of an edited file, and refuses a file that changes more', async () => {
    await open(topology())
    expect((await house.lb(['rollout', 'start', 'chat', '--file', 'lb.yaml'])).stderr).toMatch(/are those that run/)
    house.write('next.yaml', topology({ args: ', seed: 9', more: '    continuation: off\n' }))
    const more = await house.lb(['rollout', 'start', 'chat', '--file', 'next.yaml'])
    expect([more.code, more.stderr]).toEqual([2, expect.stringContaining('continuation of pool chat')])
    house.write('lb.yaml', topology({ args: ', seed: 9', rollout: ', rollback: ask' }))
    const promoted = await json<Rollout>(['rollout', 'start', 'chat', '--file', 'lb.yaml', '--wait'])
    expect([promoted.phase, promoted.to.nodes]).toEqual(['promoted', ['chat/gpu-r2-0', 'chat/gpu-r2-1']])
    house.write('lb.yaml', topology({ args: ', sede: 9' }))
    const wrong = await house.lb(['rollout', 'start', 'chat', '--file', 'lb.yaml'])
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean `seed`?')])
  })

  it('says what is wrong with a wish, with 2, and changes nothing', async () => {
    await open(topology())
    const wrong = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await house.lb(['rollout', 'start', ...args])
      expect([code, stderr], args.join(' ')).toEqual([2, expect.not.stringContaining('LB_BUG')])
      return stderr
    }
    expect(await wrong('chat')).toMatch(/say what shall go live/)
    expect(await wrong('chat', '--model', 'm', '--to', 'b')).toMatch(/are several wishes/)
    expect(await wrong('nope', '--model', 'm')).toMatch(/no pool "nope"/)
    expect(await wrong('chat', '--set', 'launch.args.sede=5')).toMatch(/did you mean `seed`\?/)
    expect(await wrong('chat', '--set', 'launch.args.seed="x"')).toMatch(/seed/)
    expect(await wrong('chat', '--revision', 'r9')).toMatch(/r9/)
    expect(await wrong('chat', '--model', 'm', '--steps', '5')).toMatch(/no share of the traffic/)
    expect(await wrong('chat', '--kind', 'big-bang')).toMatch(/big-bang/)
    expect((await house.lb(['rollout', 'status'])).stderr).toMatch(/There was no rollout yet/)
    expect((await house.lb(['rollout', 'status', 'chat'])).code).toBe(1)
    expect((await house.lb(['rollout', 'watch', 'nope'])).code).toBe(2)
  })

  it.runIf(isLong)('stands still while lb is down, and goes on with the next lb up, which says so', async () => {
    await open(topology())
    await load?.end()
    expect((await house.lb(['rollout', 'start', 'chat', '--set', 'launch.args.seed=5', '--hold', '1h'])).code).toBe(0)
    await inPhase('holding')
    const watched = finished(house.start(['rollout', 'watch', 'chat']))
    expect((await house.lb(['down'])).stderr).toMatch(/Not over yet: chat-1\./)
    expect(await watched).toMatchObject({ code: 5, stderr: expect.stringMatching(/was stopped meanwhile/) as string })
    expect((await house.lb(['up', '--detach'])).stdout).toMatch(
      /chat-1 resumes where the last balancer was: holding, stage 1 of \d +lb rollout watch chat/,
    )
    await inPhase('holding')
    expect((await house.lb(['rollout', 'abort', 'chat', '--wait'])).code).toBe(4)
  })

  it.runIf(isLong)('is waited for over a kill -9 of the balancer', async () => {
    await open(topology())
    const waiting = finished(house.start(['rollout', 'start', 'chat', '--set', 'launch.args.seed=5', '--hold', '3s', '--wait']))
    await inPhase('holding')
    process.kill((await house.status()).pid, 'SIGKILL')
    const { code, stdout, stderr } = await waiting
    expect([0, 3], stderr + stdout).toContain(code)
    const { phase } = await status()
    expect(code).toBe(phase === 'promoted' ? 0 : 3)
  })
})

/** Stands in for ssh: "over there" is this house. Forwards as `-L` says until its stdin ends. */
const fakeSsh = (socketPath: string): string => `#!${process.execPath}
const net = require('node:net')
const args = process.argv.slice(2)
if (!args.includes('-L')) { console.log(JSON.stringify({ socketPath: ${JSON.stringify(socketPath)} })); process.exit(0) }
const [local, target] = args[args.indexOf('-L') + 1].split(/(?<=\\.sock):/)
net.createServer((a) => { const b = net.connect(target); a.pipe(b).pipe(a); a.on('error', () => b.destroy()); b.on('error', () => a.destroy()) }).listen(local)
process.stdin.resume().on('end', () => process.exit(0))
`

describe('lb rollout on another machine', () => {
  it.runIf(isLong)('asks the balancer there, also with a file that lies here', async () => {
    await open(topology())
    const { socketPath } = await json<{ socketPath: string }>(['paths'])
    const bin = join(house.folder, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'package.json'), '{"type":"commonjs"}')
    writeFileSync(join(bin, 'ssh'), fakeSsh(socketPath))
    chmodSync(join(bin, 'ssh'), 0o755)
    const far = { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }
    house.write('lb.yaml', topology({ args: ', seed: 4' }))
    const begun = await house.lb(['rollout', 'start', 'chat', '--file', 'lb.yaml', '--hold', '1h', '--remote', 'ssh://box'], far)
    expect(begun.code, begun.stderr).toBe(0)
    expect((await house.lb(['rollout', 'abort', 'chat', '--wait', '--remote', 'ssh://box'], far)).code).toBe(4)
  })
})

describe.skipIf(spawnSync('tmux', ['-V']).status !== 0)('a rollout in the live view (needs tmux)', () => {
  const socket = `lb-rollout-${process.pid}`
  const tmux = (...args: readonly string[]): string => execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args]).toString('utf8')
  const pane = (): string => tmux('capture-pane', '-p')
  const press = (key: string): void => void tmux('send-keys', key)
  afterEach(() => void spawnSync('tmux', ['-L', socket, 'kill-server']))

  it.runIf(isLong)('is shown beside its nodes, paused, and aborted after a question', async () => {
    await open(topology())
    expect((await house.lb(['rollout', 'start', 'chat', '--set', 'launch.args.seed=5', '--hold', '1h'])).code).toBe(0)
    await inPhase('holding')
    const env = Object.entries({ ...house.env, TERM: 'xterm-256color' }).flatMap(([name, value]) =>
      value === undefined ? [] : ['-e', `${name}=${value}`],
    )
    tmux('new-session', '-d', '-x', '100', '-y', '30', ...env, '-c', house.cwd, `${binary} top; sleep 60`)
    await until(() => /rollout chat .* canary 50 % .* step 1 of 2/.test(pane()), 30_000)
    expect(pane()).toMatch(/errors 0\.0 % vs 0\.0 % \(at most \+1 %\)|waits for requests/)
    expect(pane()).toMatch(/p pause {2}P promote {2}A abort/)
    press('p')
    await until(() => /rollout chat .* paused, step 1 of 2/.test(pane()), 20_000)
    press('A')
    await until(() => /Abort .* in chat\? r1 takes all its traffic again.* y\/N/.test(pane()), 20_000)
    press('n')
    await until(() => !pane().includes('y/N'), 20_000)
    expect((await status()).phase).toBe('paused')
    press('A')
    await until(() => pane().includes('y/N'), 20_000)
    press('y')
    await until(() => /rollout chat .* aborted at/.test(pane()), 30_000)
    await load?.end()
    expect(load?.failed).toEqual([])
  })
})

describe('lb scale and lb unload', () => {
  const scaled = `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [sim-8b]
    nodes: [{ name: gpu, engine: sim, launch: { replicas: 2, args: { profile: instant } } }]
  small:
    models: [small]
    residency: { minResident: 1s }
    nodes: [{ name: one, engine: sim, launch: { args: { profile: instant } } }]
`
  const readyIn = async (pool: string): Promise<number> =>
    (await house.status()).pools.find(({ name }) => name === pool)?.nodes.filter(({ state }) => state === 'ready').length ?? 0

  it.runIf(isLong)('change how many nodes there are, and ask before none is left', async () => {
    await open(scaled)
    expect(await json(['scale', 'chat', '3'])).toMatchObject({ pool: 'chat', group: 'gpu', wanted: 3 })
    await until(async () => (await readyIn('chat')) === 3, 30_000)
    expect((await house.lb(['status'])).stdout).toMatch(/gpu {2}3 nodes: /)
    const asked = await house.lb(['scale', 'chat', '0'])
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('add --yes')])
    expect(await readyIn('chat')).toBe(3)
    expect((await house.lb(['scale', 'nope', '1'])).code).toBe(2)
    expect((await house.lb(['scale', 'chat', '1', '--group', 'cpu'])).code).toBe(2)
    expect((await house.lb(['scale', 'chat', 'many'])).code).toBe(2)
    expect((await house.lb(['scale', 'chat', '1'])).code).toBe(0)
    await until(async () => (await readyIn('chat')) === 1, 30_000)
    await load?.end()
    expect(load?.failed).toEqual([])
  })

  it('put a pool to rest that says so, and a request wakes it', async () => {
    await open(scaled)
    await until(async () => (await readyIn('small')) === 1, 30_000)
    expect(await json(['unload', 'small'])).toMatchObject({ pool: 'small' })
    await until(async () => /resting since/.test((await house.lb(['status'])).stdout), 30_000)
    const asked = await house.lb(['ask', '--model', 'small', 'hi'])
    expect([asked.stdout, asked.stderr]).toEqual([expect.stringMatching(/simulated/), expect.stringMatching(/^small\/one {3}TTFT/)])
    expect((await house.lb(['status'])).stdout).toMatch(/awake since .* woken once/)
    const refused = await house.lb(['unload', 'chat', '--yes'])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('residency')])
  })
})
