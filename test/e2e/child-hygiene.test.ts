/** Row r of the promises under faults: an engine gets the variables that were declared, no key stands in a command line, and it listens on loopback. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House } from './house.js'

/** Each in the shell of `lb up`; only the first is declared for the engine. */
const CANARIES = {
  ENGINE_TOKEN: 'canary-declared-0001',
  NODE_KEY: 'canary-node-key-0002',
  LB_API_KEY: 'canary-gateway-0003',
  OPENAI_API_KEY: 'canary-openai-0004',
  AWS_SECRET_ACCESS_KEY: 'canary-aws-0005',
  MY_DATABASE_URL: 'canary-database-0006',
}
/** docs/guides/engine-environment.md, as far as this house sets them; what the shell has besides (NO_COLOR) must not pass. */
const BASE = /^(PATH|HOME|LANG|XDG_[A-Z_]+)$/
const DUMP = `import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
writeFileSync(process.env.DUMP_TO, JSON.stringify({ env: process.env, argv: process.argv }))
spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1))
`
let house: House

afterEach(async () => {
  await house.close()
})

async function bringUp(): Promise<{ readonly dump: string; readonly url: string; readonly pid: number }> {
  house = new House()
  const wrapper = house.write('dump.mjs', DUMP)
  const dump = join(house.folder, 'dump.json')
  house.write(
    'lb.yaml',
    `version: 1
gateway: { listen: 127.0.0.1:0, apiKeys: [{ env: LB_API_KEY }] }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - name: sim
        engine: sim
        apiKey: { env: NODE_KEY }
        launch:
          command: ['${process.execPath}', '${wrapper}']
          env: { DUMP_TO: '${dump}', TOKEN: { env: ENGINE_TOKEN }, PLAIN: 'yes' }
`,
  )
  await house.up([], CANARIES)
  const { pid, pools } = await house.status()
  return { dump, url: pools[0]?.nodes[0]?.url ?? '', pid }
}

/** Which canaries stand in a text. */
function canariesIn(text: string): string[] {
  return Object.values(CANARIES).filter((canary) => text.includes(canary))
}

const file = (path: string): string => readFileSync(path, 'utf8')

describe('a launched engine', () => {
  it('has the documented base and what was declared in its environment, and nothing else of the shell', async () => {
    const { dump, pid } = await bringUp()
    const { env } = JSON.parse(file(dump)) as { env: Record<string, string> }
    const declared = ['DUMP_TO', 'TOKEN', 'PLAIN', 'LB_NODE']
    expect(Object.keys(env).filter((name) => !BASE.test(name) && !declared.includes(name))).toEqual([])
    expect(env).toMatchObject({ TOKEN: CANARIES.ENGINE_TOKEN, PLAIN: 'yes' })
    expect(canariesIn(JSON.stringify(env))).toEqual([CANARIES.ENGINE_TOKEN])
    // The balancer itself has them all: the search would find them.
    expect(canariesIn(file(`/proc/${pid}/environ`))).toHaveLength(Object.keys(CANARIES).length)
  })

  it('has no key in its command line, nor has anything else of lb; nor do plan, status, logs and state tell one', async () => {
    const { dump } = await bringUp()
    expect(canariesIn(JSON.stringify((JSON.parse(file(dump)) as { argv: string[] }).argv))).toEqual([])
    const survivors = house.survivors()
    expect(survivors.length).toBeGreaterThanOrEqual(4)
    for (const pid of survivors) expect(canariesIn(file(`/proc/${pid}/cmdline`))).toEqual([])
    const plan = await house.lb(['plan'], CANARIES)
    expect(plan.code, plan.stderr).toBe(0)
    expect(plan.stdout).toMatch(/TOKEN/)
    const { stateFile } = JSON.parse((await house.lb(['paths', '--json'])).stdout) as { stateFile: string }
    const status = await house.lb(['status', '--json'])
    for (const text of [plan.stdout, plan.stderr, status.stdout, house.logs(), file(stateFile)]) expect(canariesIn(text)).toEqual([])
  })

  it('listens on loopback only', async () => {
    const { url } = await bringUp()
    const hexPort = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
    const listening = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
      file(path)
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hexPort}`) === true)
        .map(([, local]) => local),
    )
    expect(listening).toEqual([`0100007F:${hexPort}`])
  })

  it('is not launched with a key in its arguments', async () => {
    house = new House()
    house.write(
      'lb.yaml',
      `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - name: sim
        engine: openai
        launch:
          command: ['${process.execPath}', '-e', 'server', '--port', '\${PORT}', '--api-key', '${CANARIES.ENGINE_TOKEN}']
          env: { TOKEN: { env: ENGINE_TOKEN } }
`,
    )
    const up = await house.lb(['up', '--detach'], CANARIES)
    expect(up.code).toBe(1)
    const node = (await house.status()).pools[0]?.nodes[0]
    expect(node).toMatchObject({ state: 'failed', pid: null })
    expect(node?.reason).toMatch(/argument \d+ of .* holds a key .*launch\.env/)
  })
})
