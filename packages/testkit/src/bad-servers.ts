import { startRawServer, type RawAnswer, type RawServer } from './raw-server.js'

const whole = (status: string, body: string, type = 'application/json'): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`

const says = (text: string): RawAnswer => {
  return (socket) => void socket.end(text)
}

/** More than a host takes, in pieces, until nobody listens. */
const endless: RawAnswer = (socket) => {
  const piece = Buffer.alloc(256 * 1024, 'x')
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n')
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', more)
  more()
}

const answers: Readonly<Record<string, RawAnswer>> = {
  'an empty answer': says(whole('200 OK', '')),
  'a web page': says(whole('200 OK', '<!doctype html><title>Welcome to nginx!</title>', 'text/html')),
  null: says(whole('200 OK', 'null')),
  'a number': says(whole('200 OK', '42')),
  'an array of nonsense': says(whole('200 OK', '[null,1,"x",{},[]]')),
  'deep nonsense': says(whole('200 OK', '{"data":{"data":[1]},"models":7,"status":[],"version":{}}')),
  'half a JSON': says(whole('200 OK', '{"data":[{"id":"mo')),
  'bytes that are no text': says(whole('200 OK', '\u0000\uFFFD\u0001')),
  'a 404 for everything': says(whole('404 Not Found', 'not found', 'text/plain')),
  'a 401 for everything': says(whole('401 Unauthorized', '{"error":"no key"}')),
  'a 500 for everything': says(whole('500 Internal Server Error', '')),
  'a redirect': says('HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
  'half an answer': says('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"data":['),
  'no HTTP at all': says('SSH-2.0-OpenSSH_9.9\r\n'),
  'a closed connection': (socket) => void socket.destroy(),
  'an endless answer': endless,
}

/** Servers that are not the engine, or are so no longer: each with its name. */
export function badServers(): readonly { readonly name: string; readonly start: () => Promise<RawServer> }[] {
  return Object.entries(answers).map(([name, answer]) => ({ name, start: () => startRawServer(answer) }))
}

/** Takes requests and never answers. */
export function startSilentServer(): Promise<RawServer> {
  return startRawServer(() => undefined)
}
