import { describe, expect, it } from 'vitest'
import { MemberList, type Listed } from './member-list.js'

const members = Array.from({ length: 4 }, (): Listed => ({ place: -1 }))
const [a, b, c, d] = members as [Listed, Listed, Listed, Listed]

function listOf(...listed: readonly Listed[]): MemberList<Listed> {
  const list = new MemberList<Listed>()
  for (const one of listed) list.add(one)
  return list
}

describe('a list of members that come and go', () => {
  it('holds those that came and did not go, each once', () => {
    const list = listOf(a, b, c, d)
    expect([list.remove(b), list.remove(d)]).toEqual([true, true])
    expect(list.size).toBe(2)
    expect(new Set(list)).toEqual(new Set([a, c]))
    list.add(b)
    for (const one of list.all()) list.remove(one)
    expect(list.size).toBe(0)
  })

  it('lets nobody go who is not there', () => {
    const list = listOf(a, b)
    expect([list.remove(b), list.remove(b), list.remove({ place: -1 }), list.remove({ place: 0 })]).toEqual([true, false, false, false])
    expect([...list]).toEqual([a])
  })
})
