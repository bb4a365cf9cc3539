/** Rows d1 and m of the promises under faults: a killed lb leaks nothing, and its engines are taken over as they run. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ownIdentity } from '@plimsoll/core'
import { afterEach, describe, expect, it } from 'vitest'
import { PROCESSES_OF_A_NODE, writeDeepTopology } from './deep-engine.js'
import { House, isLong, simTopology, until, type NodeRow, type StatusDocument } from './house.js'

const REPLICAS = 4
const LOAD_MS = 4_000
let house: House

afterEach(async () => {
  await house.close()
})

const nodesOf = (status: StatusDocument): readonly NodeRow[] => status.pools[0]?.nodes ?? []
const pidsOf = (status: StatusDocument): (number | null)[] => nodesOf(status).map((node) => node.pid)
const readyAfterMs = (status: StatusDocument): number => Math.max(...nodesOf(status).map((node) => node.sinceMs)) - status.startedAtMs

async function bringUp(loadMs = LOAD_MS, args: readonly string[] = []): Promise<StatusDocument> {
  house = new House()
  writeDeepTopology(house, { replicas: REPLICAS, loadMs })
  await house.up(args)
  await until(() => treeOf().length === REPLICAS * PROCESSES_OF_A_NODE)
  return house.status()
}

/** Everything that carries a mark of this house's topology. */
function treeOf(): number[] {
  return house.survivors().filter((pid) => environment(pid).includes('LB_NODE='))
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return ''
  }
}

/** As `kill -9` of everything that is lb: keeper, balancer, whatever command still runs. */
async function killLb(): Promise<void> {
  const marked = new Set(treeOf())
  for (const pid of house.survivors()) if (!marked.has(pid)) process.kill(pid, 'SIGKILL')
  await until(() => house.survivors().every((pid) => marked.has(pid)))
}

async function ask(status: StatusDocument): Promise<number> {
  const answer = await fetch(`${status.gateway.listen[0]}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sim-8b', max_tokens: 4, messages: [{ role: 'user', content: 'hello' }] }),
  })
  await answer.arrayBuffer()
  return answer.status
}

describe('kill -9 of keeper and balancer', () => {
  it('leaves engines that the next lb up takes over, without a load and within two seconds', async () => {
    const before = await bringUp()
    const logs = nodesOf(before).map((node) => readFileSync(node.logPath ?? '', 'utf8'))
    const tree = treeOf().toSorted((a, b) => a - b)
    await killLb()
    const startedMs = performance.now()
    const up = await house.lb(['up', '--detach'])
    const upMs = performance.now() - startedMs
    expect(up.code, up.stderr).toBe(0)
    expect(up.stderr).toMatch(/was killed; its engines still run and are taken over/)
    const after = await house.status()
    expect(pidsOf(after)).toEqual(pidsOf(before))
    expect(nodesOf(after).map((node) => node.url)).toEqual(nodesOf(before).map((node) => node.url))
    expect(nodesOf(after).every((node) => node.adopted && node.state === 'ready' && node.restarts === 0)).toBe(true)
    expect(readyAfterMs(after)).toBeLessThanOrEqual(2_000)
    expect(treeOf().toSorted((a, b) => a - b)).toEqual(tree)
    nodesOf(after).forEach((node, index) => expect(readFileSync(node.logPath ?? '', 'utf8').startsWith(logs[index] ?? '-')).toBe(true))
    expect(await ask(after)).toBe(200)
    process.stdout.write(
      `\nadopt: ${REPLICAS} of ${REPLICAS} engines (n = ${REPLICAS}), 0 loads, ready ${Math.round(readyAfterMs(after))} ms after the balancer began, lb up took ${Math.round(upMs)} ms; a load takes ${LOAD_MS} ms\n`,
    )
    await house.lb(['down'])
    expect(house.survivors()).toEqual([])
    const files = readdirSync(join(house.folder, 'run'), { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
    expect(files.map((entry) => entry.name)).toEqual([])
  })

  it.runIf(isLong)('costs a load of every model where nothing is taken over: the negative control', async () => {
    const before = await bringUp()
    await killLb()
    const up = await house.lb(['up', '--detach', '--leftovers', 'reap'])
    expect(up.code, up.stderr).toBe(0)
    const after = await house.status()
    expect(pidsOf(after).some((pid) => pidsOf(before).includes(pid))).toBe(false)
    expect(nodesOf(after).some((node) => node.adopted)).toBe(false)
    expect(readyAfterMs(after)).toBeGreaterThan(2_000)
    expect(treeOf()).toHaveLength(REPLICAS * PROCESSES_OF_A_NODE)
    process.stdout.write(`\nnegative control, --leftovers reap: ready after ${Math.round(readyAfterMs(after))} ms\n`)
  })

  it('is cleared by lb down: no survivor after five seconds, the ones that called setsid neither', async () => {
    await bringUp(0)
    await killLb()
    const startedMs = performance.now()
    const down = await house.lb(['down'])
    const reapedMs = performance.now() - startedMs
    expect(down.code, down.stderr).toBe(0)
    expect(house.survivors()).toEqual([])
    expect(reapedMs).toBeLessThan(5_000)
    process.stdout.write(
      `\nreap: 0 survivors of ${REPLICAS * PROCESSES_OF_A_NODE} processes (n = ${REPLICAS} trees, three deep) in ${Math.round(reapedMs)} ms\n`,
    )
  })

  it.runIf(isLong)('would leave some where only process groups are killed: the negative control', async () => {
    const status = await bringUp(0)
    await killLb()
    for (const pid of pidsOf(status)) process.kill(-(pid ?? 1), 'SIGKILL')
    await until(() => pidsOf(status).every((pid) => !treeOf().includes(pid ?? 0)))
    expect(treeOf().length).toBeGreaterThanOrEqual(REPLICAS)
  })

  it('ends engines that the topology would launch differently by now, and those of nodes that are gone', async () => {
    const before = await bringUp(0)
    await killLb()
    writeDeepTopology(house, { replicas: 2, loadMs: 0, seed: 7 })
    const up = await house.lb(['up', '--detach'])
    expect(up.code, up.stderr).toBe(0)
    const after = await house.status()
    expect(nodesOf(after).map((node) => [node.state, node.adopted])).toEqual([
      ['ready', false],
      ['ready', false],
    ])
    await until(() => treeOf().length === 2 * PROCESSES_OF_A_NODE)
    expect(treeOf().some((pid) => pidsOf(before).includes(pid))).toBe(false)
  })

  it('leaks nothing either where the state file says nothing of an engine, or is cut in half', async () => {
    const before = await bringUp(0)
    await killLb()
    const { stateFile } = JSON.parse((await house.lb(['paths', '--json'])).stdout) as { stateFile: string }
    const text = readFileSync(stateFile, 'utf8')
    const state = JSON.parse(text) as { nodes: unknown[] }
    // As if the kill had come between a spawn and the writing of it.
    writeFileSync(stateFile, JSON.stringify({ ...state, nodes: state.nodes.slice(0, -1) }))
    expect((await house.lb(['up', '--detach'])).code).toBe(0)
    const second = await house.status()
    expect(pidsOf(second).slice(0, -1)).toEqual(pidsOf(before).slice(0, -1))
    expect(pidsOf(second).at(-1)).not.toBe(pidsOf(before).at(-1))
    await until(() => treeOf().length === REPLICAS * PROCESSES_OF_A_NODE)
    await killLb()
    writeFileSync(stateFile, text.slice(0, text.length / 2))
    expect((await house.lb(['up', '--detach'])).code).toBe(0)
    await until(() => treeOf().length === REPLICAS * PROCESSES_OF_A_NODE)
    expect(treeOf().some((pid) => pidsOf(second).includes(pid))).toBe(false)
    await killLb()
    writeFileSync(stateFile, text.slice(0, text.length / 2))
    expect(JSON.parse((await house.lb(['purge', '--yes', '--json', '--name', second.name])).stdout)).toEqual({
      removed: [],
      leftAlone: [second.name],
    })
    const down = await house.lb(['down', '--name', second.name])
    expect(down.code, down.stderr).toBe(0)
    expect(house.survivors()).toEqual([])
  })

  it('waits for a port that another balancer holds for a moment, with nothing else to do meanwhile', async () => {
    house = new House(simTopology({ replicas: 1 }))
    await house.up()
    const before = await house.status()
    const port = new URL(nodesOf(before)[0]?.url ?? '').port
    await killLb()
    const path = join(tmpdir(), `plimsoll-ports-${userInfo().uid}`, port)
    writeFileSync(path, JSON.stringify(await ownIdentity()))
    const starts = (): number => house.logs().split('"to":"starting"').length
    const startsBefore = starts()
    const coming = house.lb(['up', '--detach'])
    await until(() => starts() > startsBefore)
    setTimeout(() => rmSync(path), 200)
    const up = await coming
    expect(up.code, up.stderr + house.logs()).toBe(0)
    expect(pidsOf(await house.status())).toEqual(pidsOf(before))
  })

  it('has one winner among many lb up at once, who takes each engine over once', async () => {
    const before = await bringUp(0)
    await killLb()
    const ups = await Promise.all(Array.from({ length: 8 }, () => house.lb(['up', '--detach'])))
    const losers = ups.filter((up) => up.code !== 0)
    expect(losers, ups.map((up) => up.stderr).join('\n')).toHaveLength(7)
    for (const loser of losers) expect(loser.stderr).toMatch(/already running|port/i)
    expect(pidsOf(await house.status())).toEqual(pidsOf(before))
    expect(treeOf()).toHaveLength(REPLICAS * PROCESSES_OF_A_NODE)
  })
})

describe('kill -9 of the balancer alone', () => {
  it('makes its keeper start another, which takes the engines over, however lb up was told to begin', async () => {
    const before = await bringUp(LOAD_MS, ['--leftovers', 'reap'])
    process.kill(before.pid, 'SIGKILL')
    const killedMs = Date.now()
    await until(async () => (await house.status().catch(() => before)).pid !== before.pid, 20_000)
    await until(async () => nodesOf(await house.status()).every((node) => node.state === 'ready'), 20_000)
    const after = await house.status()
    expect(pidsOf(after)).toEqual(pidsOf(before))
    const readyMs = Math.max(...nodesOf(after).map((node) => node.sinceMs)) - killedMs
    expect(readyAfterMs(after)).toBeLessThanOrEqual(2_000)
    expect(await ask(after)).toBe(200)
    process.stdout.write(`\nbalancer alone: ready ${readyMs} ms after its kill, 0 loads\n`)
  })

  it('an engine that dies after that is seen, though nobody is its parent, and started again', async () => {
    const before = await bringUp(0)
    process.kill(before.pid, 'SIGKILL')
    await until(async () => (await house.status().catch(() => before)).pid !== before.pid, 20_000)
    await until(async () => nodesOf(await house.status()).every((node) => node.state === 'ready'), 20_000)
    const victim = nodesOf(before)[1]?.pid ?? 0
    process.kill(victim, 'SIGKILL')
    const killedMs = performance.now()
    await until(async () => nodesOf(await house.status())[1]?.restarts === 1, 10_000)
    const seenMs = performance.now() - killedMs
    await until(async () => nodesOf(await house.status())[1]?.state === 'ready', 20_000)
    const node = nodesOf(await house.status())[1]
    expect(node?.pid).not.toBe(victim)
    expect(node?.adopted).toBe(false)
    await until(() => treeOf().length === REPLICAS * PROCESSES_OF_A_NODE)
    process.stdout.write(`\nadopted engine killed: started again ${Math.round(seenMs)} ms later\n`)
  })
})
