import { describe, expect, it } from 'vitest'
import { descendantsOf, parsePs, readProcess, readProcessTable, stillLiving } from './process-table.js'

describe('the process table', () => {
  it('reads what ps prints and leaves zombies out', () => {
    const text =
      '    1     0     1 Ss   Mon Nov  2 10:00:00 2026\n  400     1   400 S+   Mon Nov  2 10:00:01 2026\n  401   400   400 Z    Mon Nov  2 10:00:02 2026\n'
    expect(parsePs(text)).toEqual([
      { pid: 1, parentPid: 0, groupId: 1, startTime: 'Mon Nov  2 10:00:00 2026' },
      { pid: 400, parentPid: 1, groupId: 400, startTime: 'Mon Nov  2 10:00:01 2026' },
    ])
  })

  it('lists this process under its parent', async () => {
    const own = (await readProcessTable()).find((row) => row.pid === process.pid)
    expect(own).toMatchObject({ parentPid: process.ppid })
    expect(await readProcess(process.pid)).toEqual(own)
  })

  it('finds descendants of any depth, nearest first, and ends on a loop', () => {
    const row = (pid: number, parentPid: number) => ({ pid, parentPid, groupId: 1, startTime: 's' })
    const table = [row(2, 1), row(3, 2), row(4, 3), row(5, 1), row(9, 8), row(8, 9)]
    expect(descendantsOf(1, table).map(({ pid }) => pid)).toEqual([2, 5, 3, 4])
    expect(descendantsOf(8, table).map(({ pid }) => pid)).toEqual([9, 8])
  })

  it('drops what has ended or been recycled', async () => {
    const own = await readProcess(process.pid)
    if (own === undefined) throw new Error('this process is not in the table')
    expect(await stillLiving([own, { ...own, startTime: 'earlier' }, { ...own, pid: 2 ** 30 }])).toEqual([own])
  })
})
