/** http-proxy-3 as its guide shows it, with an agent that keeps connections: `node serve-http-proxy-3.js PORT UPSTREAM_URL`. */
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy-3'

const [port, target] = process.argv.slice(2)
const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 512 }) })
proxy.on('error', (error, _request, response) => {
  if ('headersSent' in response && !response.headersSent) response.writeHead(502)
  response.end(error.message)
})
const server = createServer((request, response) => proxy.web(request, response))
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
