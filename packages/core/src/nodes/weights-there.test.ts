import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noSshd, startSshd, type TestSshd } from '../machines/ssh/sshd.test.fixture.js'
import { sampleOfFiles, sha256OfFiles } from '../state/index.js'
import { plainGroup } from '../topology/plain-plans.test.fixture.js'
import { weightsThere } from './weights-there.js'

const commit = 'c'.repeat(40)

describe.skipIf(noSshd !== undefined)(
  `weights on another machine, over a real sshd${noSshd === undefined ? '' : ` (skipped: ${noSshd})`}`,
  { timeout: 60_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "lb it's-"))
    let sshd: TestSshd
    let far: ReturnType<typeof plainGroup>
    const options = { env: process.env }
    const file = (name: string, bytes: Buffer | string): string => {
      writeFileSync(join(folder, name), bytes)
      return join(folder, name)
    }

    beforeAll(async () => {
      sshd = await startSshd()
      const sshConfig = file('ssh_config', `Host *\n${sshd.options.map((option) => `  ${option.replace('=', ' ')}`).join('\n')}\n`)
      const host = { name: 'box', ssh: { host: '127.0.0.1', user: sshd.user, port: sshd.port }, sshConfig }
      far = plainGroup({ env: { HF_HOME: join(folder, 'home'), TOKEN: { env: 'T' } } }, { host })
    })

    afterAll(() => {
      sshd.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it('are what the same files are here, by samples and by all bytes', async () => {
      const paths = [file('a b.gguf', Buffer.alloc(1_700_001, 'some weights')), file('b.gguf', 'short'), file('c.gguf', '')]
      const keptIn = join(folder, 'kept.json')
      const signal = AbortSignal.timeout(20_000)
      expect(await weightsThere(far, { kind: 'files', paths }, options)).toEqual({ content: await sampleOfFiles(paths) })
      expect(await weightsThere(far, { kind: 'files', paths }, { ...options, isWhole: true })).toEqual({
        content: await sha256OfFiles(paths, { signal, keptIn }),
      })
      expect(await weightsThere(far, { kind: 'files', paths: paths.slice(1, 2) }, { ...options, isWhole: true })).toEqual({
        content: `sha256:${createHash('sha256').update('short').digest('hex')}`,
      })
    })

    it('of a folder are those files that say what the model is', async () => {
      const place = { kind: 'folder', folder: join(folder, 'model'), endings: ['safetensors', 'json'] } as const
      mkdirSync(place.folder)
      expect(await weightsThere(far, place, options)).toEqual({ untold: `box: there are no weights in ${place.folder}` })
      const paths = ['config.json', 'x.safetensors'].map((name) => file(`model/${name}`, name))
      file('model/notes.md', 'no weights')
      expect(await weightsThere(far, place, options)).toEqual({ content: await sampleOfFiles(paths) })
    })

    it('of a hub are the commit in its cache, wherever the declared environment puts that', async () => {
      const place = { kind: 'hub', repo: 'org/name', revision: 'main' } as const
      expect(await weightsThere(far, place, options)).toMatchObject({
        untold: expect.stringContaining('box: there is no main of it in') as string,
      })
      const repository = join(folder, 'home/hub/models--org--name')
      for (const part of ['refs', `snapshots/${commit}`]) mkdirSync(join(repository, part), { recursive: true })
      writeFileSync(join(repository, 'refs/main'), commit)
      expect(await weightsThere(far, place, options)).toEqual({ content: `commit:${commit}` })
      expect(await weightsThere(far, { ...place, revision: commit, cacheVariable: 'LLAMA_CACHE' }, options)).toEqual({
        content: `commit:${commit}`,
      })
      expect(await weightsThere(far, { ...place, revision: 'v2' }, options)).toMatchObject({
        untold: expect.stringContaining('no v2') as string,
      })
    })

    it('that are not there, or on a machine that is away, are told as such', async () => {
      expect(await weightsThere(far, { kind: 'files', paths: ['/nowhere/x.gguf'] }, options)).toEqual({
        untold: 'box: there is no file /nowhere/x.gguf',
      })
      expect(await weightsThere(far, undefined, options)).toEqual({ untold: 'its engine does not say where it looks for them' })
      const away = { ...far, host: { name: 'away', ssh: { host: '127.0.0.1', port: 1 } } }
      expect(await weightsThere(away, { kind: 'files', paths: ['/x'] }, options)).toMatchObject({
        untold: expect.stringMatching(/^away: .*cannot be reached by ssh/) as string,
      })
    })
  },
)
