import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SshLink } from '../ssh/ssh-link.js'
import { noSshd, startSshd, type TestSshd } from '../ssh/sshd.test.fixture.js'
import { sshGpuMachine } from './ssh-gpu-machine.js'

describe.skipIf(noSshd !== undefined)(
  `GPUs of another machine, over a real sshd${noSshd === undefined ? '' : ` (skipped: ${noSshd})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'lb-gpus-ssh-'))
    let sshd: TestSshd
    let link: SshLink

    beforeAll(async () => {
      sshd = await startSshd()
      link = new SshLink({
        name: 'gpu',
        destination: { host: '127.0.0.1', user: sshd.user, port: sshd.port },
        env: process.env,
        options: sshd.options,
      })
    })

    afterAll(() => {
      link.close()
      sshd.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it('its tools are run there, each word as it is', async () => {
      const machine = await sshGpuMachine(link)
      expect(machine.platform).toBe(process.platform)
      expect(await machine.run('printf', ['%s|', 'a b', "it's", '$HOME'])).toMatchObject({ code: 0, stdout: "a b|it's|$HOME|" })
      expect(await machine.run('sh', ['-c', 'echo oops >&2; exit 9'])).toMatchObject({
        code: 9,
        stderr: expect.stringContaining('oops') as string,
      })
    })

    it('a tool that is missing, or hangs, is told like one here', async () => {
      const machine = await sshGpuMachine(link, 300)
      expect(await machine.run('no-such-gpu-tool', [])).toMatchObject({ failure: 'missing' })
      expect(await machine.run('sleep', ['60'])).toMatchObject({ failure: 'hung' })
    })

    it('its files are read, and what cannot be read is nothing', async () => {
      const machine = await sshGpuMachine(link)
      writeFileSync(join(folder, "vendor's"), '0x1002\n')
      expect(await machine.readText(join(folder, "vendor's"))).toMatch(/^0x1002/)
      expect(await machine.list(folder)).toEqual(["vendor's"])
      expect(await machine.readText('/nowhere/at all')).toBeUndefined()
      expect(await machine.list('/nowhere')).toEqual([])
    })

    it('a link that does not come up is an error of ssh, and a lost one a failed tool', async () => {
      const gone = new SshLink({ name: 'gone', destination: { host: '127.0.0.1', port: 1 }, env: process.env, options: sshd.options })
      await expect(sshGpuMachine(gone)).rejects.toMatchObject({ code: 'LB_SSH_FAILED' })
      gone.close()
    })
  },
)
