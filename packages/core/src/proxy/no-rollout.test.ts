import { Session, type HeapProfiler } from 'node:inspector/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { good, PartedRig } from './parted-rig.test.fixture.js'

const REQUESTS = 40
/** What only rollouts need. */
const ROOMS = /\/proxy\/(?:parting|way-back|opening|answer-doubts|outings|shadow\/[a-z-]+)\.ts$/

let rig: PartedRig

beforeEach(async () => {
  rig = new PartedRig()
  await rig.old(good)
  await rig.fresh(good)
})

afterEach(async () => {
  await expect.poll(() => rig.settled).toBe(rig.opened)
  await rig.close()
})

/** Files that take memory while requests are served, told by every 64th byte of it, also of what was collected since. */
async function takers(): Promise<readonly string[]> {
  await rig.open()
  const ask = async (turn: number) => (await rig.ask({ stream: turn % 2 === 0 })).text()
  // What is made once for a pool or a node.
  for (let turn = 0; turn < 4; turn += 1) await ask(turn)
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
  const files = (node: HeapProfiler.SamplingHeapProfileNode): readonly string[] => [
    ...(node.selfSize > 0 ? [node.callFrame.url] : []),
    ...node.children.flatMap(files),
  ]
  return [...new Set(files(profile.head))].filter((url) => ROOMS.test(url)).map((url) => url.replace(/^.*\/proxy\//, ''))
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
