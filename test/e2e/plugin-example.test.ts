/** `npm run example:plugin`, as CI sees it: an engine plugin from nothing to a served answer, without a network. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { repository } from './house.js'

const run = promisify(execFile)

it('a plugin is written, built, tested, packed, installed, serves an answer and is removed', async () => {
  const { stdout } = await run(process.execPath, [join(repository, 'scripts/example-plugin.js')], { timeout: 110_000 })
  const steps = [
    'init plugin',
    'npm test',
    'npm pack',
    'plugins install file:',
    'lb up',
    'You said: Is there anybody?',
    'lb down',
    'plugins uninstall',
  ]
  let from = 0
  for (const step of steps) {
    expect(stdout.slice(from), stdout).toContain(step)
    from = stdout.indexOf(step, from)
  }
  expect(stdout).toMatch(/removed\.\n$/)
})
