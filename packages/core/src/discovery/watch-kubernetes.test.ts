import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubernetesSource } from '../topology/index.js'
import { ScriptedKubeApi, type ScriptedKubeApiOptions } from './kube-api.test.fixture.js'
import { Watched } from './watched.test.fixture.js'

let folder: string
const open: (() => void)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-kube-'))
})

afterEach(() => {
  for (const close of open.splice(0).reverse()) close()
  rmSync(folder, { recursive: true, force: true })
})

async function api(options?: ScriptedKubeApiOptions): Promise<ScriptedKubeApi> {
  const server = await new ScriptedKubeApi(options).open()
  open.push(() => server.close())
  return server
}

function watch(more: Partial<KubernetesSource>, env: NodeJS.ProcessEnv = {}): Watched {
  const watched = new Watched({ kind: 'kubernetes', from: 'kubernetes:ml/vllm', namespace: 'ml', service: 'vllm', ...more }, { env })
  open.push(() => watched.discovery.stop())
  return watched
}

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const urls = (...last: readonly number[]): readonly string[] => last.map((byte) => `http://10.0.0.${byte}:8000`)
const patient = { timeout: 8_000 }

describe('a service of Kubernetes', () => {
  it('is listed, then watched: endpoints join, leave, and whole slices go', async () => {
    const server = await api()
    server.put('a', ['10.0.0.5', '10.0.0.6'])
    const watched = watch({ server: server.url })
    await expect.poll(() => watched.urls).toEqual(urls(5, 6))
    await expect.poll(() => server.watching).toBe(1)
    server.put('b', ['10.0.0.7'])
    await expect.poll(() => watched.urls).toEqual(urls(5, 6, 7))
    server.put('a', ['10.0.0.6'])
    await expect.poll(() => watched.urls).toEqual(urls(6, 7))
    server.remove('b')
    await expect.poll(() => watched.urls).toEqual(urls(6))
    expect(server.asked).toEqual(['list', 'watch 101'])
  })

  it('is listed in pages', async () => {
    const server = await api()
    server.page = 2
    for (const byte of [1, 2, 3, 4, 5]) server.put(`s${byte}`, [`10.0.0.${byte}`])
    const watched = watch({ server: server.url })
    await expect.poll(() => watched.urls).toHaveLength(5)
    expect(server.asked.slice(0, 3)).toEqual(['list', 'list', 'list'])
  })

  it('goes on from the last bookmark when the watch has had its time', async () => {
    const server = await api()
    server.put('a', ['10.0.0.5'])
    const watched = watch({ server: server.url })
    await expect.poll(() => server.watching).toBe(1)
    server.bookmark()
    server.bookmark()
    await expect.poll(() => watched.urls).toEqual(urls(5))
    server.endWatches()
    await expect.poll(() => server.asked.filter((asked) => asked.startsWith('watch')), patient).toEqual(['watch 101', 'watch 103'])
    expect(server.asked.filter((asked) => asked === 'list')).toHaveLength(1)
    server.put('a', ['10.0.0.6'])
    await expect.poll(() => watched.urls).toEqual(urls(6))
  })

  it.each([
    [
      'with an event',
      (server: ScriptedKubeApi) =>
        server.say({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } }),
    ],
    [
      'by its status',
      (server: ScriptedKubeApi) => {
        server.refusing = 410
        server.endWatches()
      },
    ],
  ])('is listed anew when the server has forgotten the past, told %s', async (_, forget) => {
    const server = await api()
    server.put('a', ['10.0.0.5'])
    const watched = watch({ server: server.url })
    await expect.poll(() => server.watching).toBe(1)
    forget(server)
    await expect.poll(() => server.watching).toBe(0)
    server.put('a', ['10.0.0.6'])
    await expect.poll(() => (server.refusing === undefined ? true : server.asked.includes('410')), patient).toBe(true)
    server.refusing = undefined
    await expect.poll(() => watched.urls, patient).toEqual(urls(6))
    expect(server.asked.filter((asked) => asked === 'list').length).toBeGreaterThan(1)
  })

  it('keeps its last truth while the server is away, says so, and is listed anew when it is back', async () => {
    const server = await api()
    server.put('a', ['10.0.0.5'])
    const watched = watch({ server: server.url })
    await expect.poll(() => server.watching).toBe(1)
    server.refusing = 503
    server.endWatches('break')
    await expect.poll(() => watched.report.error, patient).toContain('the API server answered 503: so it is scripted')
    expect(watched.urls).toEqual(urls(5))
    server.put('a', ['10.0.0.5', '10.0.0.6'])
    server.refusing = undefined
    await expect.poll(() => watched.urls, patient).toEqual(urls(5, 6))
    expect(watched.report.error).toBeUndefined()
  })

  it('breaks off in the middle of an event, and loses nothing by it', async () => {
    const server = await api()
    server.put('a', ['10.0.0.5'])
    const watched = watch({ server: server.url })
    await expect.poll(() => server.watching).toBe(1)
    for (const half of ['{"type":"MODI', 'no json at all\n']) {
      server.sayRaw(half)
      server.endWatches('break')
      await expect.poll(() => server.watching, patient).toBe(1)
    }
    server.put('a', ['10.0.0.7'])
    await expect.poll(() => watched.urls, patient).toEqual(urls(7))
  })

  it('sends what is no list, and is told so', async () => {
    const server = createServer((_request, response) => response.end('<html>login</html>'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(() => (server.closeAllConnections(), server.close()))
    const watched = watch({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    await expect.poll(() => watched.report.error).toBe("the API server's answer is no JSON: <html>login</html>")
  })

  it('scaled to nothing has no members: the server knows', async () => {
    const server = await api()
    server.put('a', ['10.0.0.5'])
    const watched = watch({ server: server.url })
    await expect.poll(() => watched.urls).toEqual(urls(5))
    await expect.poll(() => server.watching).toBe(1)
    server.put('a', [])
    await expect.poll(() => watched.urls).toEqual([])
  })

  it('leaves out link-local endpoints, with a note', async () => {
    const server = await api()
    server.put('a', ['169.254.169.254', '10.0.0.5'])
    const watched = watch({ server: server.url })
    await expect.poll(() => watched.urls).toEqual(urls(5))
    expect(watched.report.notes[0]).toContain('169.254.169.254')
  })

  it('names the ports that there are when the wanted one is not, and keeps what it had', async () => {
    const server = await api()
    server.put('a', ['10.0.0.5'])
    const watched = watch({ server: server.url, port: 'http' })
    await expect.poll(() => watched.urls).toEqual(urls(5))
    await expect.poll(() => server.watching).toBe(1)
    server.putSlice('a', { addressType: 'IPv4', ports: [{ name: 'grpc', port: 9 }], endpoints: [{ addresses: ['10.0.0.5'] }] })
    await expect.poll(() => watched.report.error).toBe('the pods of vllm have no port http; they have 9 (grpc)')
    expect(watched.urls).toEqual(urls(5))
  })

  it.each([
    [401, 'does not take the token'],
    [403, 'give it get, list and watch on endpointslices of discovery.k8s.io'],
    [404, 'from Kubernetes 1.21 on'],
    [500, 'answered 500'],
  ])('says what a %i means', async (status, words) => {
    const server = await api()
    server.refusing = status
    const watched = watch({ server: server.url })
    await expect.poll(() => watched.report.error).toContain(words)
    expect(watched.report).toMatchObject({ members: 0, atMs: undefined })
  })

  it('reads its token anew for each request', async () => {
    const server = await api({ token: 'first' })
    server.put('a', ['10.0.0.5'])
    const tokenFile = file('token', 'first\n')
    const watched = watch({ server: server.url, tokenFile })
    await expect.poll(() => watched.urls).toEqual(urls(5))
    await expect.poll(() => server.watching).toBe(1)
    server.token = 'second'
    server.put('a', ['10.0.0.6'])
    file('token', 'second')
    server.endWatches('break')
    await expect.poll(() => server.watching, patient).toBe(1)
    server.put('a', ['10.0.0.7'])
    await expect.poll(() => watched.urls, patient).toEqual(urls(7))
    expect(server.asked).not.toContain('401')
  })

  it.each([
    [
      'a token file that is not there',
      { server: 'http://127.0.0.1:1', tokenFile: '/nowhere/token' },
      'the token cannot be read: /nowhere/token (ENOENT)',
    ],
    ['no API server at all', {}, 'no API server is named and this runs in no pod; the kubeconfig cannot be read'],
    ['a server where nothing listens', { server: 'http://127.0.0.1:1' }, 'the API server does not answer (connection refused)'],
  ])('names %s', async (_, more, words) => {
    const watched = watch(more, { HOME: '/nowhere' })
    await expect.poll(() => watched.report.error).toContain(words)
  })
})

describe('a kubeconfig', () => {
  const config = (server: string, user: string): string =>
    `current-context: here\ncontexts: [{name: here, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: '${server}/'}}]\nusers: [{name: u, user: ${user}}]\n`

  it('names the server and the token; KUBECONFIG and the home folder are where it is looked for', async () => {
    const server = await api({ token: 'sekret' })
    server.put('a', ['10.0.0.5'])
    const kubeconfig = file('config', config(server.url, '{token: sekret}'))
    for (const watched of [watch({ kubeconfig }), watch({}, { KUBECONFIG: kubeconfig })])
      await expect.poll(() => watched.urls).toEqual(urls(5))
  })

  it.each([
    ['logs in with a command', '{exec: {command: aws}}', 'logs in with a command, which lb does not run'],
    ['has a token file that is empty', '{tokenFile: empty}', 'is empty'],
  ])('whose user %s is refused in words', async (_, user, words) => {
    file('empty', '\n')
    const kubeconfig = file('config', config('http://127.0.0.1:1', user))
    const watched = watch({ kubeconfig })
    await expect.poll(() => watched.report.error).toContain(words)
  })

  it('without the context that it names is refused', async () => {
    const watched = watch({ kubeconfig: file('config', 'current-context: there\n') })
    await expect.poll(() => watched.report.error).toContain('there is no context "there"')
  })
})

describe.skipIf(!hasOpenssl())('an API server behind TLS', () => {
  it('is trusted by its own certificates only, those of the pod too', async () => {
    const key = join(folder, 'key.pem')
    const cert = join(folder, 'cert.pem')
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=kube',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ]
    execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const server = await api({ tls: { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }, token: 't' })
    server.put('a', ['10.0.0.5'])
    const tokenFile = file('token', 't')
    const stranger = watch({ server: server.url, tokenFile })
    const trusted = watch({ server: server.url, tokenFile, caFile: cert })
    await expect.poll(() => trusted.urls).toEqual(urls(5))
    await expect.poll(() => stranger.report.error).toContain('set caFile')
    const data = readFileSync(cert).toString('base64')
    const kubeconfig = file(
      'config',
      JSON.stringify({
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority-data': data } }],
        users: [{ name: 'u', user: { tokenFile: 'token' } }],
      }),
    )
    const configured = watch({ kubeconfig })
    await expect.poll(() => configured.urls).toEqual(urls(5))
  })
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
