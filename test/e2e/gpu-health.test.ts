/** Accelerators that break under running engines, through the real binary. The tool is a script on a PATH of the test's own. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, isLong, until, type NodeRow } from './house.js'

const houses: House[] = []
afterEach(async () => {
  for (const house of houses.splice(0)) {
    await house.close()
  }
})

/** Two cards; while the file `lost` is there, the second one is. */
function build(): House {
  const house = new House(`version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - { name: sim, engine: sim, launch: { replicas: 2, gpus: { perReplica: 1, needMiB: 100 }, args: { profile: instant } } }
`)
  houses.push(house)
  const tools = join(house.folder, 'tools')
  mkdirSync(tools)
  const script = `#!/bin/bash
cd ${tools}
case "$1" in
--query-gpu=uuid,ecc*)
  echo "GPU-00000000-aaaa, 0"
  echo "GPU-00000001-aaaa, 4" ;;
--query-gpu=*)
  echo "0, GPU-00000000-aaaa, NVIDIA H100, 00000000:01:00.0, 81559, 4, 81555, 40, 30, Disabled"
  if [ -e lost ]; then echo "1, GPU-00000001-aaaa, NVIDIA H100, 00000000:02:00.0, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]"
  else echo "1, GPU-00000001-aaaa, NVIDIA H100, 00000000:02:00.0, 81559, 4, 81555, 40, 30, Disabled"; fi ;;
esac
`
  writeFileSync(join(tools, 'nvidia-smi'), script)
  chmodSync(join(tools, 'nvidia-smi'), 0o755)
  house.env['PATH'] = `${tools}:${process.env['PATH']}`
  house.env['LB_GPU_FOLDER'] = join(house.folder, 'gpus')
  return house
}

const nodes = async (house: House): Promise<readonly NodeRow[]> => (await house.status()).pools[0]?.nodes ?? []

describe.runIf(isLong)('a GPU that breaks', { timeout: 120_000 }, () => {
  it('takes the node on it out, with the reason, as long as it is broken', async () => {
    const house = build()
    await house.up()
    await until(async () => (await nodes(house)).every(({ state }) => state === 'ready'))
    const tools = join(house.folder, 'tools')
    writeFileSync(join(tools, 'lost'), '')
    await until(async () => (await nodes(house)).some(({ state }) => state === 'suspect'), 40_000)
    const [out] = (await nodes(house)).filter(({ state }) => state === 'suspect')
    expect(out?.reason).toContain('its GPU 1 (NVIDIA H100) is broken: GPU is lost')
    rmSync(join(tools, 'lost'))
    await until(async () => (await nodes(house)).every(({ state }) => state === 'ready'), 60_000)
  })
})
