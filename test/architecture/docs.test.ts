/** Pages that are made from the code equal the code, and no page leads nowhere. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { deadLinks } from './checks/dead-links.js'
import { readFiles, render, repositoryFiles, root } from './source-file.js'

describe('the documents', () => {
  it('that are generated are fresh', async () => {
    const run = promisify(execFile)(process.execPath, ['scripts/generate-docs.js', '--check'], { cwd: root, timeout: 50_000 })
    await expect(
      run.then(
        ({ stdout }) => stdout,
        (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
      ),
    ).resolves.toBe('')
  })

  it('link to files that exist', () => {
    const pages = readFiles(repositoryFiles().filter((path) => path.endsWith('.md')))
    expect(render(deadLinks((path) => existsSync(join(root, path)))(pages))).toEqual([])
  })

  it('with a dead link are reported', () => {
    const page = { path: 'docs/a.md', text: 'see [b](b.md#part), [c](../README.md), [d](https://example.org) and ![e](e.svg)' }
    const found = deadLinks((path) => path === 'README.md' || dirname(path) === 'elsewhere')([page])
    expect(render(found)).toEqual(['docs/a.md: links to b.md, which is not there', 'docs/a.md: links to e.svg, which is not there'])
  })
})
