// A small engine on another machine that lets nobody in without its key: PORT HOST, and the key in LB_NODE_KEY.
import { createServer } from 'node:http'

const [port, host] = process.argv.slice(2)
createServer((request, response) => {
  const isKnown = request.headers.authorization === `Bearer ${process.env.LB_NODE_KEY}`
  const body = !isKnown
    ? { error: { message: 'no', type: 'authentication_error' } }
    : request.url === '/v1/models'
      ? { object: 'list', data: [{ id: 'keyed', object: 'model' }] }
      : {
          id: 'x',
          object: 'chat.completion',
          created: 1,
          model: 'keyed',
          choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
        }
  request.resume()
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}).listen(Number(port), host)
