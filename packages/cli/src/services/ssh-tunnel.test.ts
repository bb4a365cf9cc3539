import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shellWord } from '@plimsoll/core'
import { sampleStatus } from '../views/board/sample-status.test.fixture.js'
import { createControlClient } from './control-client.js'
import { sshArguments, withoutRemote } from './ssh-remote.js'
import { openRemote } from './ssh-tunnel.js'

/** Stands in for ssh: "over there" is this machine. Forwards as `-L` says until its stdin ends, as the real one does while `cat` runs. */
const fakeSsh = `#!${process.execPath}
const net = require('node:net')
const args = process.argv.slice(2)
require('node:fs').appendFileSync(__dirname + '/calls', JSON.stringify(args) + '\\n')
if (args.includes('nowhere')) { console.error('ssh: Could not resolve hostname nowhere'); process.exit(255) }
if (!args.includes('-L')) { console.log(JSON.stringify({ socketPath: __dirname + '/control' })); process.exit(0) }
const [local, target] = args[args.indexOf('-L') + 1].split(/(?<=\\.sock):/)
net.createServer((a) => { const b = net.connect(target); a.pipe(b).pipe(a); a.on('error', () => b.destroy()); b.on('error', () => a.destroy()) }).listen(local)
process.stdin.resume().on('end', () => process.exit(0))
`

let folder: string
let server: Server
const path = process.env['PATH']

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-ssh-'))
  writeFileSync(join(folder, 'ssh'), fakeSsh)
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}')
  chmodSync(join(folder, 'ssh'), 0o755)
  process.env['PATH'] = `${folder}${delimiter}${path}`
  server = createServer((_, response) => response.end(JSON.stringify(sampleStatus())))
  await new Promise<void>((resolve) => server.listen(join(folder, 'control'), resolve))
})

afterEach(async () => {
  process.env['PATH'] = path
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

describe('a balancer on another machine', () => {
  it('is asked where its socket is and reached through ssh', async () => {
    const remote = await openRemote('ssh://me@box:2222', { name: 'it is' })
    try {
      expect(await createControlClient({ socketPath: remote.controlSocket }).status()).toEqual(sampleStatus())
    } finally {
      remote.close()
    }
    const [asked, forwarded] = readFileSync(join(folder, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string[])
    expect(asked).toEqual(['-p', '2222', '--', 'me@box', "lb paths --json --name 'it is'"])
    expect(forwarded?.slice(-3)).toEqual(['--', 'me@box', 'cat'])
  })

  it('that cannot be reached is an error in the words of ssh', async () => {
    await expect(openRemote('ssh://nowhere', {})).rejects.toMatchObject({
      code: 'LB_REMOTE_FAILED',
      message: expect.stringContaining('Could not resolve hostname'),
    })
  })
})

describe('an address of another machine', () => {
  it('becomes arguments of ssh, never options', () => {
    expect(sshArguments('ssh://box')).toEqual(['--', 'box'])
    expect(sshArguments('ssh://me@[::1]:22')).toEqual(['-p', '22', '--', 'me@::1'])
    for (const bad of [
      'box',
      'http://box',
      'ssh://-oProxyCommand=x',
      'ssh://-l@box',
      'ssh://box/path',
      'ssh://me:pw@box',
      'ssh://a%20b',
      'ssh://',
    ])
      expect(() => sshArguments(bad), bad).toThrow(/no address of another machine/)
  })

  it('does not travel on, and words stay words for the other shell', () => {
    expect(withoutRemote(['-f', '--remote', 'ssh://a', 'x', '--remote=ssh://b'])).toEqual(['-f', 'x'])
    expect(shellWord('a/b-1')).toBe('a/b-1')
    expect(shellWord("$(x) 'y'")).toBe(`'$(x) '\\''y'\\'''`)
  })
})
