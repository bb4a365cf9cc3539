import { Session, type HeapProfiler } from 'node:inspector/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { good, PartedRig } from './parted-rig.test.fixture.js'

const REQUESTS = 200
/** V8 keeps something of each function once it has run for a while: less than a smallest object for every request. */
const ONCE_BYTES = 12 * REQUESTS
/** What only rollouts need. */
const ROOMS = /\/proxy\/(?:parting|way-back|opening|answer-doubts|outings|shadow\/[a-z-]+)\.ts$/

let rig: PartedRig

beforeEach(async () => {
  rig = new PartedRig()
  await rig.old(good)
  await rig.fresh(good)
})

afterEach(() => rig.end())

/** Files that take memory while requests are served, told by every 64th byte of it, also of what was collected since. */
async function takers(): Promise<readonly string[]> {
  await rig.open()
  const ask = async (turn: number) => (await rig.ask({ stream: turn % 2 === 0 })).text()
  // What is made once for a pool or a node.
  for (let turn = 0; turn < REQUESTS; turn += 1) await ask(turn)
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 64,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  for (let turn = 0; turn < REQUESTS; turn += 1) await ask(turn)
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  const bytes = new Map<string, number>()
  const count = ({ callFrame: { url }, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): void => {
    if (ROOMS.test(url)) bytes.set(url, (bytes.get(url) ?? 0) + selfSize)
    children.forEach(count)
  }
  count(profile.head)
  return [...bytes].filter(([, taken]) => taken > ONCE_BYTES).map(([url]) => url.replace(/^.*\/proxy\//, ''))
}

describe('where no rollout runs', () => {
  it('requests take no memory for one', async () => {
    rig.split = undefined
    expect(await takers()).toEqual([])
  })

  it('and where one runs, they do: the negative control', async () => {
    expect(await takers()).toContain('parting.ts')
  })
})
