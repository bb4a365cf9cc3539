import { describe, expect, it } from 'vitest'
import type { GroupPlan, LaunchSettings } from '../topology/index.js'
import { areNeighbours, areRivals, placesOf } from './places.js'

const group = (facts: Partial<GroupPlan>): GroupPlan => ({ name: 'g', engine: 'e', weight: 1, ...facts })
const launched = (gpus?: LaunchSettings['gpus'], host?: string) =>
  placesOf({
    groups: [
      group({
        launch: { replicas: 1, settings: {}, env: {}, restarts: { max: 1, withinMs: 1 }, ...(gpus === undefined ? {} : { gpus }) },
        ...(host === undefined ? {} : { host: { name: host, ssh: { host } } }),
      }),
    ],
  })
const attached = (url: string) => placesOf({ groups: [group({ attach: { url } })] })
const cards = { kind: 'listed', lists: [[0]], share: false } as const

describe('the place that a pool takes', () => {
  it('is the whole machine where nobody chose its accelerators, or where the server is attached', () => {
    expect(areRivals(launched(), launched(cards))).toBe(true)
    expect(areRivals(attached('http://127.0.0.1:11434'), launched({ kind: 'none' }))).toBe(true)
    expect(areRivals(attached('http://localhost:1'), attached('http://[::1]:2'))).toBe(true)
    expect(areRivals(attached('http+unix://x'), launched())).toBe(true)
  })

  it('is main memory for those without accelerators, and is weighed elsewhere for those that are given some', () => {
    expect(areRivals(launched({ kind: 'none' }), launched({ kind: 'none' }))).toBe(true)
    expect(areRivals(launched({ kind: 'none' }), launched(cards))).toBe(false)
    expect(areRivals(launched(cards), launched(cards))).toBe(false)
  })

  it('is never shared by two machines', () => {
    expect(areRivals(launched(undefined, 'gpu1'), launched(undefined, 'gpu2'))).toBe(false)
    expect(areRivals(attached('http://10.0.0.7:1'), attached('http://10.0.0.8:1'))).toBe(false)
    expect(areRivals(attached('http://10.0.0.7:1'), attached('http://10.0.0.7:2'))).toBe(true)
    expect([areNeighbours(launched(cards, 'gpu1'), launched(cards)), areNeighbours(launched(cards), launched({ kind: 'none' }))]).toEqual([
      false,
      true,
    ])
  })
})
