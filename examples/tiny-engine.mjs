/** A stand-in for a model server, so that the examples run without one: it answers every chat with the same words. */
import { createServer } from 'node:http'

const model = 'tiny'

export async function startTinyEngine() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(request.url === '/v1/models' ? models : answer))
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => server.close(resolve)) }
}

const models = { object: 'list', data: [{ id: model, object: 'model', created: 0, owned_by: 'example' }] }

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 0,
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello from behind the balancer.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
}
