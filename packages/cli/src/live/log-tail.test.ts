import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLogTail } from './log-tail.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-log-tail-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function fileWith(text: string): Promise<string> {
  const path = join(folder, 'node.log')
  await writeFile(path, text)
  return path
}

describe('readLogTail', () => {
  it('reads the newest lines of a long file', async () => {
    const path = await fileWith(Array.from({ length: 20_000 }, (_, index) => `line ${index}`).join('\n'))
    expect(await readLogTail('a/b', path, 2)).toEqual({ nodeId: 'a/b', lines: ['line 19998', 'line 19999'] })
  })

  it('drops colours and shows what else is hidden', async () => {
    expect((await readLogTail('a/b', await fileWith('\u001b[32mINFO\u001b[0m\tok\u001b]0;x\u0007\r\n'), 9)).lines).toEqual([
      'INFO    ok\\e]0;x\\x07',
    ])
  })

  it('says why there is nothing', async () => {
    expect((await readLogTail('a/b', join(folder, 'none'), 9)).problem).toMatch(/ENOENT/)
    expect((await readLogTail('a/b', undefined, 9)).problem).toBe('this node has no log file on this machine')
  })
})
