import { describe, expect, it } from 'vitest'
import { eventsOf, SimClient, until } from '../testing/sim-client.js'
import { parseFault } from './fault.js'

interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[]
}

const isUp = async (sim: SimClient) => (await sim.chat()).status === 200

describe('faults over real sockets', () => {
  it('die ends the process: at once when switched, with the first request when declared', async () => {
    let deaths = 0
    const ending = { die: () => void deaths++, exit: () => expect.unreachable() }
    await using switched = await SimClient.start({}, ending)
    await (await switched.fault('die')).text()
    await until(() => deaths === 1)
    await using declared = await SimClient.start({ fault: 'die' }, ending)
    expect((await declared.get('/health')).status).toBe(200)
    expect(deaths).toBe(1)
    await declared.chat()
    expect(deaths).toBe(2)
  })

  it('exit-on-load leaves with code 1 while loading', async () => {
    const codes: number[] = []
    await using sim = await SimClient.start(
      { fault: 'exit-on-load', loadMs: 50 },
      { die: () => expect.unreachable(), exit: (code) => void codes.push(code) },
    )
    expect((await sim.get('/health')).status).toBe(503)
    await until(() => codes.length > 0)
    expect(codes).toEqual([1])
  })

  it('exit-on-load:CODE leaves with that code', async () => {
    const codes: number[] = []
    await using sim = await SimClient.start(
      { fault: 'exit-on-load:137' },
      { die: () => expect.unreachable(), exit: (code) => void codes.push(code) },
    )
    await until(() => codes.length > 0)
    expect(codes).toEqual([137])
    expect(sim.server.engine.faults.current).toEqual({ kind: 'exit-on-load', code: 137 })
  })

  it('die-after:MS dies after its load, at run time after the switch, and not at all when cleared', async () => {
    let deaths = 0
    const ending = { die: () => void deaths++, exit: () => expect.unreachable() }
    await using declared = await SimClient.start({ fault: 'die-after:30', loadMs: 60 }, ending)
    await until(async () => (await declared.get('/health')).status === 200)
    await until(() => deaths === 1)
    await using switched = await SimClient.start({}, ending)
    expect(await isUp(switched)).toBe(true)
    await switched.fault('die-after:20')
    await until(() => deaths === 2)
    await switched.fault('die-after:3600000')
    await switched.fault(null)
    expect(await isUp(switched)).toBe(true)
  })

  it('poison:WORD ends the process with 134 on a body that has the word, and serves all others', async () => {
    const codes: number[] = []
    const ending = { die: () => expect.unreachable(), exit: (code: number) => void codes.push(code) }
    await using sim = await SimClient.start({ fault: 'poison:arsenic' }, ending)
    expect(await isUp(sim)).toBe(true)
    expect(codes).toEqual([])
    await sim.chat({ messages: [{ role: 'user', content: 'some arsenic, please' }] })
    expect(codes).toEqual([134])
  })

  it('hang-on-load never gets ready', async () => {
    await using sim = await SimClient.start({ fault: 'hang-on-load' })
    expect((await sim.get('/health')).status).toBe(503)
    expect((await sim.chat()).status).toBe(503)
    await sim.fault(null)
    expect(await isUp(sim)).toBe(true)
  })

  it('hang answers nothing, health neither, and goes on where it stood when cleared', async () => {
    await using sim = await SimClient.start({ profile: '8b-h100' })
    const begun = sim.chat({ stream: true, max_tokens: 100 })
    await until(async () => (await sim.gauge('num_requests_running')) === 1)
    await sim.fault('hang')
    await expect(fetch(`${sim.server.url}/health`, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/u)
    const late = sim.chat({ max_tokens: 1 })
    await sim.fault(null)
    expect((await eventsOf(await begun)).at(-1)).toBe('[DONE]')
    expect((await late).status).toBe(200)
  })

  it('stall takes requests and says that it is well, but no token comes until cleared', async () => {
    await using sim = await SimClient.start({ profile: '8b-h100' })
    const begun = await sim.chat({ stream: true, max_tokens: 100 })
    expect((await sim.fault('stall')).status).toBe(200)
    const produced = await sim.gauge('generation_tokens_total')
    const late = sim.chat({ max_tokens: 1 })
    await until(async () => (await sim.gauge('num_requests_waiting')) === 1)
    expect((await sim.get('/health')).status).toBe(200)
    expect(await sim.gauge('num_requests_running')).toBe(1)
    expect(await sim.gauge('generation_tokens_total')).toBe(produced)
    await sim.fault(null)
    expect((await eventsOf(begun)).at(-1)).toBe('[DONE]')
    expect((await late).status).toBe(200)
  })

  it('stall may follow hang: what was held is taken, nothing more', async () => {
    await using sim = await SimClient.start()
    await sim.fault('hang')
    const held = sim.get('/health')
    const late = sim.chat({ max_tokens: 1 })
    await sim.fault('stall')
    expect((await held).status).toBe(200)
    await until(async () => (await sim.gauge('num_requests_running')) === 1)
    await sim.fault(null)
    expect((await late).status).toBe(200)
  })

  it('slow:N takes N times longer', async () => {
    await using sim = await SimClient.start({ profile: '8b-h100' })
    const timed = async () => {
      const startMs = performance.now()
      await (await sim.chat({ max_tokens: 8 })).text()
      return performance.now() - startMs
    }
    await sim.fault('slow:5')
    // 8 steps of 7 ms, five times slower; a busy machine can only add to it.
    expect(await timed()).toBeGreaterThanOrEqual(8 * 7 * 5 * 0.95)
  })

  it('ttft:N keeps the first token back for N times as long, and those behind it no longer', async () => {
    await using sim = await SimClient.start({ profile: '8b-h100', slowness: 3 })
    const plain = { max_tokens: 8 }
    const right = (await (await sim.chat(plain)).json()) as Answer
    const timesOf = async () => {
      const startMs = performance.now()
      const response = await sim.chat({ ...plain, stream: true })
      const firstMs = performance.now() - startMs
      const events = await eventsOf(response)
      return { firstMs, allMs: performance.now() - startMs, events }
    }
    await sim.fault('ttft:9')
    const { firstMs, allMs, events } = await timesOf()
    // A step takes 21 ms: the head comes with the first token, seven more behind it; a busy machine can only add to it.
    expect(firstMs).toBeGreaterThanOrEqual(21 * 9 * 0.95)
    expect(allMs - firstMs).toBeLessThan(firstMs)
    const text = events
      .slice(0, -1)
      .map((event) => (JSON.parse(event) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content)
    expect(text.join('')).toBe(right.choices[0]?.message.content)
    expect(events.at(-1)).toBe('[DONE]')
  })

  it('a request that is left while ttft:N keeps it back writes nothing more', async () => {
    await using sim = await SimClient.start({ fault: 'ttft:50', profile: '8b-h100' })
    const controller = new AbortController()
    const left = sim.chat({ max_tokens: 4 }, { signal: controller.signal })
    await until(async () => (await sim.gauge('num_requests_running')) === 1)
    controller.abort()
    await expect(left).rejects.toThrow(/abort/u)
    await until(async () => (await sim.gauge('num_requests_running')) === 0)
  })

  it('storm-503 refuses all requests while health stays well', async () => {
    await using sim = await SimClient.start()
    await sim.fault('storm-503')
    expect((await sim.chat()).status).toBe(503)
    expect((await sim.get('/health')).status).toBe(200)
    await sim.fault(null)
    expect(await isUp(sim)).toBe(true)
  })

  it.each([
    ['errors:5%', 500],
    ['busy:5%', 429],
  ])('%s fails that share', async (fault, expected) => {
    await using sim = await SimClient.start()
    await sim.fault(fault)
    const statuses: number[] = []
    for (let count = 0; count < 100; count++) statuses.push((await sim.chat({ max_tokens: 1 })).status)
    expect(statuses.filter((status) => status === expected)).toHaveLength(5)
    expect(statuses.filter((status) => status === 200)).toHaveLength(95)
  })

  it('reset closes the socket without an answer', async () => {
    await using sim = await SimClient.start()
    await sim.fault('reset')
    await expect(sim.chat()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect((await sim.get('/health')).status).toBe(200)
  })

  it.each([{ stream: false }, { stream: true }])('half-response breaks off in the middle: %j', async (body) => {
    await using sim = await SimClient.start({ fault: 'half-response' })
    const response = await sim.chat(body)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow(/terminated/u)
    await until(async () => (await sim.gauge('num_requests_running')) === 0)
  })

  it('garbage is no JSON', async () => {
    await using sim = await SimClient.start({ fault: 'garbage' })
    const body = await (await sim.chat()).text()
    expect(() => void JSON.parse(body)).toThrow()
    for (const event of await eventsOf(await sim.chat({ stream: true }))) expect(() => void JSON.parse(event)).toThrow()
  })

  it('empty says nothing, repeat says one thing for ever', async () => {
    await using sim = await SimClient.start({ fault: 'empty' })
    const first = async () => ((await (await sim.chat({ max_tokens: 50 })).json()) as Answer).choices[0]
    expect(await first()).toMatchObject({ message: { content: '' }, finish_reason: 'stop' })
    await sim.fault('repeat')
    expect(await first()).toMatchObject({ message: { content: expect.stringMatching(/^(again ?){50}$/u) }, finish_reason: 'length' })
  })

  it('wrong-model serves another one', async () => {
    await using sim = await SimClient.start({ fault: 'wrong-model' })
    expect(await (await sim.get('/v1/models')).json()).toMatchObject({ data: [{ id: 'sim-8b-wrong' }] })
    expect((await sim.chat()).status).toBe(404)
  })

  it('small-context refuses what fitted before', async () => {
    await using sim = await SimClient.start({ fault: 'small-context' })
    expect((await sim.chat({ max_tokens: 300 })).status).toBe(400)
    expect((await sim.chat({ max_tokens: 10 })).status).toBe(200)
  })

  it('is named by GET, and an unknown or late one is refused with the known forms', async () => {
    await using sim = await SimClient.start()
    await sim.fault('slow:4')
    expect(await (await sim.get('/sim/faults')).json()).toEqual({ fault: { kind: 'slow', factor: 4 } })
    const unknown = await sim.fault('explode')
    expect(unknown.status).toBe(400)
    expect(await unknown.text()).toContain('storm-503')
    expect((await sim.fault('hang-on-load')).status).toBe(400)
    expect((await sim.post('/sim/faults', { fault: 3 })).status).toBe(400)
  })
})

describe('the written form of a fault', () => {
  it.each([
    'slow',
    'ttft',
    'ttft:0',
    'die-after',
    'die-after:x',
    'exit-on-load:',
    'exit-on-load:256',
    'poison:',
    'poison:two words',
    'slow:',
    'slow:0',
    'slow:x',
    'errors:5',
    'errors:101%',
    'die:1',
    '',
    'Die',
  ])('refuses %j', (text) => {
    expect(parseFault(text)).toBeUndefined()
  })

  it('reads numbers', () => {
    expect(parseFault('slow:1.5')).toEqual({ kind: 'slow', factor: 1.5 })
    expect(parseFault('ttft:3')).toEqual({ kind: 'ttft', factor: 3 })
    expect(parseFault('die-after:500')).toEqual({ kind: 'die-after', afterMs: 500 })
    expect(parseFault('exit-on-load')).toEqual({ kind: 'exit-on-load', code: 1 })
    expect(parseFault('exit-on-load:134')).toEqual({ kind: 'exit-on-load', code: 134 })
    expect(parseFault('errors:0.5%')).toEqual({ kind: 'errors', ratio: 0.005 })
  })
})
