import { describe, expect, it } from 'vitest'
import { SocketCount } from './socket-count.js'

describe('the sockets of all threads', () => {
  it('are one count, whoever opens and closes them', () => {
    const main = new SocketCount({ threads: 3, room: { most: 4, mostWithEngines: 5 } })
    const [first, second] = [1, 2].map((thread) => new SocketCount({ thread, buffer: main.buffer, room: main.room })) as [
      SocketCount,
      SocketCount,
    ]
    first.addClient(1)
    second.addClient(1)
    second.addEngine(1)
    for (const each of [main, first, second]) expect([each.clients, each.isFull]).toEqual([2, false])
    first.addEngine(1)
    for (const each of [main, first, second]) expect([each.clients, each.isFull]).toEqual([2, true])
    expect(first.isSpent).toBe(false)
    second.addEngine(1)
    for (const each of [main, first, second]) expect([each.isFull, each.isSpent]).toEqual([true, true])
    second.addEngine(-1)
    second.addClient(-1)
    for (const each of [main, first, second]) expect([each.clients, each.isFull]).toEqual([1, false])
  })

  it('of a dead thread went with it', () => {
    const main = new SocketCount({ threads: 3, room: { most: 2, mostWithEngines: 2 } })
    const dead = new SocketCount({ thread: 1, buffer: main.buffer })
    const other = new SocketCount({ thread: 2, buffer: main.buffer })
    dead.addClient(1)
    dead.addEngine(1)
    other.addClient(1)
    expect([main.clients, main.isFull]).toEqual([2, true])
    main.clearThread(1)
    expect([main.clients, main.isFull]).toEqual([1, false])
  })

  it('are never too many where nobody knows a limit', () => {
    const count = new SocketCount()
    for (let socket = 0; socket < 100_000; socket += 1) count.addClient(1)
    expect([count.clients, count.isFull]).toEqual([100_000, false])
  })
})
