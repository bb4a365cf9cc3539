import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askGateway } from './ask-gateway.js'
import { createSseReader } from './sse-data.js'

let server: Server
let answer: (response: ServerResponse, request: IncomingMessage) => void

beforeEach(async () => {
  server = createServer((request, response) => request.resume().on('end', () => answer(response, request)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const delta = (content: string): string => event({ choices: [{ delta: { content } }] })

function ask(onText: (text: string) => void = () => undefined, signal = new AbortController().signal) {
  const { port } = server.address() as AddressInfo
  return askGateway({ address: { socket: { host: '127.0.0.1', port } }, model: 'm', prompt: 'p', apiKey: 'secret', signal, onText })
}

describe('asking through the gateway', () => {
  it('streams the text and tells node, tokens and times', async () => {
    let [key, trace]: unknown[] = []
    answer = (response, request) => {
      key = request.headers.authorization
      trace = request.headers['x-lb-trace']
      response.writeHead(200, { 'x-lb-node': 'demo/a', 'x-lb-attempts': '2', 'x-request-id': 'r1' })
      response.write(delta('Hel'))
      response.end(
        `${delta('lo')}${event({ choices: [{ delta: {}, finish_reason: 'stop' }] })}${event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } })}data: [DONE]\n\n`,
      )
    }
    const parts: string[] = []
    const result = await ask((text) => parts.push(text))
    expect(parts.join('')).toBe('Hello')
    expect(result).toMatchObject({
      node: 'demo/a',
      attempts: 2,
      requestId: 'r1',
      finishReason: 'stop',
      promptTokens: 3,
      completionTokens: 2,
    })
    expect(result.ttftMs).toBeGreaterThan(0)
    expect(key).toBe('Bearer secret')
    expect(trace).toBe('1')
  })

  it('hands on what the gateway refused', async () => {
    answer = (response) => response.writeHead(404).end('{"error":{"message":"no model m; there is sim-8b"}}')
    await expect(ask()).rejects.toMatchObject({ code: 'LB_GATEWAY_REFUSED', message: expect.stringContaining('no model m') })
  })

  it('calls an answer without its end mark cut, also when the connection breaks', async () => {
    answer = (response) => response.writeHead(200).end(delta('half'))
    await expect(ask()).rejects.toMatchObject({ code: 'LB_ANSWER_CUT' })
    answer = (response) => {
      response.writeHead(200).write(delta('half'), () => response.destroy())
    }
    await expect(ask()).rejects.toMatchObject({ code: 'LB_ANSWER_CUT' })
    answer = (response) => response.writeHead(200).end(event({ error: { message: 'node died' } }))
    await expect(ask()).rejects.toThrow(/node died/)
  })

  it('leaves the stream when told to', async () => {
    const life = new AbortController()
    const left = new Promise<void>((resolve) => {
      answer = (response) => {
        response.on('close', resolve)
        response.writeHead(200).write(delta('x'))
      }
    })
    await expect(ask(() => life.abort(), life.signal)).rejects.toBeDefined()
    await left
  })
})

describe('the event stream reader', () => {
  it('gives the same data wherever the stream is cut', () => {
    const stream = 'data: {"a":1}\r\n\r\n: comment\nevent: x\ndata:two\n\ndata: [DONE]\n\n'
    for (let at = 0; at <= stream.length; at += 1) {
      const got: string[] = []
      const read = createSseReader((data) => got.push(data))
      read(stream.slice(0, at))
      read(stream.slice(at))
      expect(got, `cut at ${at}`).toEqual(['{"a":1}', 'two', '[DONE]'])
    }
  })
})
