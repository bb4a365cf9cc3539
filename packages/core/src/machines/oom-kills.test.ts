import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { oomKills } from './oom-kills.js'
import { scratchFolder } from './processes.test.fixture.js'

const folder = scratchFolder()

describe('the kernel’s counters of kills for lack of memory', () => {
  it('are summed over the machine and the control group', () => {
    const at = folder()
    const [vmstat, events] = [join(at, 'vmstat'), join(at, 'memory.events')]
    writeFileSync(vmstat, 'nr_free_pages 12\noom_kill 3\nthp_fault_alloc 1\n')
    writeFileSync(events, 'low 0\nhigh 0\nmax 7\noom 2\noom_kill 2\noom_group_kill 0\n')
    expect(oomKills([vmstat, events])).toBe(5)
    expect(oomKills([vmstat])).toBe(3)
  })

  it('are unknown where nothing tells them', () => {
    expect(oomKills(['/nowhere/vmstat'])).toBeUndefined()
  })

  it.runIf(process.platform === 'linux')('can be read here', () => {
    expect(oomKills()).toBeGreaterThanOrEqual(0)
  })
})
