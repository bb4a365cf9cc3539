/**
 * Stands in for llama-server: takes its command line, answers with the bytes that a real one (b10573) sent, loads until the file `go` appears beside
 * the notes that it keeps, and ends as the real one does: at once when idle, with open requests only at the second signal.
 */
import { appendFileSync, existsSync, readFileSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const notes = process.env['STAND_IN_NOTES'] ?? '.'
const note = (text: string): void => appendFileSync(join(notes, 'notes.jsonl'), `${text}\n`)
const say = (line: string): void => void writeSync(2, `${line}\n`)
const argv = process.argv.slice(2)
if (argv.includes('--version')) {
  say('version: 10573 (3f545becc)\nbuilt with cc')
  process.exit(0)
}

const withValue = ['--host', '--port', '-m', '-a', '-c', '-np', '-ngl', '-ctk', '-ctv', '-fa', '--cache-ram', '--sleep-idle-seconds']
const alone = ['--metrics', '--embeddings', '-kvu', '-no-kvu']
note(JSON.stringify({ argv, env: process.env, pid: process.pid }))

const given = new Map<string, string>()
for (let at = 0; at < argv.length; at += 1) {
  const flag = argv[at] ?? ''
  if (withValue.includes(flag)) given.set(flag, argv[(at += 1)] ?? '')
  else if (!alone.includes(flag)) fail(`error: invalid argument: ${flag}`)
}

function fail(line: string): never {
  say(line)
  process.exit(1)
}

/** The whole recorded response. */
function bytesOf(name: string): Buffer {
  const path = fileURLToPath(new URL(`../../../packages/plugin-llamacpp/src/fixtures/${name}.http`, import.meta.url))
  const file = readFileSync(path)
  return file.subarray(file.indexOf('<<< response\n') + 13, file.lastIndexOf('\n\n# timing'))
}

const key = process.env['LLAMA_API_KEY']
const isReady = (): boolean => existsSync(join(notes, 'go'))

function answerTo({ method = '', url = '', headers }: IncomingMessage, body: string): Buffer | 'hold' {
  if (!isReady()) return bytesOf('health-loading')
  if (url === '/health') return bytesOf('health-ready')
  if (key !== undefined && headers.authorization !== `Bearer ${key}`) return bytesOf('apikey-none-chat')
  if (method === 'GET' && url === '/v1/models') return bytesOf('v1-models')
  if (method === 'GET' && url === '/props') return bytesOf('props')
  if (method === 'GET' && url === '/metrics') return bytesOf(open > 0 ? 'metrics-saturated' : 'metrics-idle')
  if (method === 'GET' && url === '/slots') return bytesOf(open > 0 ? 'slots-saturated' : 'slots-idle')
  if (method !== 'POST' || url !== '/v1/chat/completions') return bytesOf('not-found-path')
  if (body.includes('word word word')) return bytesOf('error-prompt-too-long')
  if (body.includes('hold')) return 'hold'
  return bytesOf(body.includes('"stream":true') ? 'chat-stream-usage' : 'chat-nonstream')
}

let open = 0
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => (body += part))
  request.on('end', () => {
    const answer = answerTo(request, body)
    if (answer !== 'hold') {
      request.socket.end(answer)
      return
    }
    open += 1
    request.socket.on('close', () => (open -= 1))
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
  })
})

let signals = 0
function signalled(): void {
  signals += 1
  note(JSON.stringify({ signal: signals, open }))
  if (signals > 1) fail('Received second interrupt, terminating immediately.')
  server.close()
  if (open === 0) process.exit(0)
}

say('srv  llama_server: loading model')
say('load_tensors: loading model tensors, this can take a while... (mmap = true)')
const port = Number(given.get('--port'))
server.on('error', () => fail(`E srv         start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: ${port}`))
server.listen(port, given.get('--host'), () => {
  process.on('SIGTERM', signalled)
  process.on('SIGINT', signalled)
})
