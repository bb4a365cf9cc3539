import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House } from './house.js'

let house: House

afterEach(() => house.close())

const sixMistakes = `version: 1
gateway:
  listen: 0.0.0.0:8484
pools:
  chat:
    strategy: rond-robin
    nodes:
      - name: a
        engine: sim
        launch:
          replica: 2
      - name: b
        engine: sglang
        attach: http://127.0.0.1:9000
      - name: c
        engine: openai
        attach: http://127.0.0.1:9000
        apiKey: sk-literal
    timeouts: { connect: 2 parsecs }
`

describe('a topology with six different mistakes', () => {
  it('gets six messages, each at its line and column, and exit code 2', async () => {
    house = new House(sixMistakes)
    const result = await house.lb(['up', '--detach'])
    expect(result.code).toBe(2)
    const places = [...result.stderr.matchAll(/lb\.yaml:(\d+):(\d+)/g)].map((match) => `${match[1]}:${match[2]}`)
    expect(places).toEqual(['3:11', '6:15', '11:11', '13:17', '18:17', '19:26'])
    expect(result.stderr).toMatch(/did you mean `replicas`/)
    expect(result.stderr).toMatch(/did you mean `round-robin`/)
    expect(result.stderr).toMatch(/6 errors; nothing was changed/)
    expect(result.stderr).not.toContain('sk-literal')
  })
})

describe('a topology in another encoding', () => {
  it('is told where its first byte is that is none of UTF-8', async () => {
    house = new House()
    writeFileSync(join(house.cwd, 'lb.yaml'), Buffer.from('pools:\n  chat:\n    models: [gr\xfc\xdfe]\n', 'latin1'))
    const result = await house.lb(['config'])
    expect(result.code).toBe(2)
    expect(result.stderr).toContain('lb.yaml:3:16  error  the file is not UTF-8')
    expect(result.stderr).toContain('save it as UTF-8')
  })
})

describe('a folder without a topology', () => {
  it('is told how to make one', async () => {
    house = new House()
    const result = await house.lb(['up'])
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/lb init/)
  })
})

describe('lb init', () => {
  it('writes a topology that works unchanged, and never overwrites it', async () => {
    house = new House()
    const made = await house.lb(['init', '--yes', '--template', 'sim'])
    expect(made.code, made.stderr).toBe(0)
    const again = await house.lb(['init', '--yes', '--template', 'sim'])
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/--force/)
    const config = await house.lb(['config'])
    expect(config.code, config.stderr).toBe(0)
    expect(config.stdout).toContain('sim-8b')
  })
})
