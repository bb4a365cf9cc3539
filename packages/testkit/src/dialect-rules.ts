import assert from 'node:assert/strict'
import type { BodyFields, Dialect } from '@plimsoll/core/plugin'
import type { ContractRule } from './contract.js'
import { randomTexts } from './random-text.js'
import type { Workbench } from './workbench.js'

const classes = ['ok', 'client', 'retry', 'cooldown', 'loading', 'death']
const ends = ['complete', 'cut', 'error']
const headerName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const bodyWords = [
  '{"error":',
  '"message":',
  'model',
  'not found',
  'loading',
  'Loading model',
  'busy',
  '<html>',
  'queue',
  '"code":503',
  '}',
  '"',
  '\n',
]
const tailWords = [
  'data: ',
  'data:',
  '[DONE]',
  '\n\n',
  '\n',
  '\r\n\r\n',
  '{"error":{"message":"x"}}',
  '{"choices":[{"delta":{"content":"a"}}]}',
  '"finish_reason":"stop"',
  'event: error\n',
  ': ping\n',
]
const chunk = 'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
const last = 'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
const failure = 'data: {"error":{"message":"the engine failed","type":"server_error","code":500}}\n\n'
const done = 'data: [DONE]\n\n'

/** The dialect runs for every request: pure, total, and honest about how a stream ended. */
export function dialectRules(bench: Workbench): readonly ContractRule[] {
  const dialect = (): Dialect => bench.attached('http://127.0.0.1:1').dialect
  return [
    {
      title: 'its handover, where it has one, names faces that it speaks, a field, and JSON to ask with',
      async run() {
        const { handover, paths } = dialect()
        if (handover === undefined) return
        assert.ok(handover.faces.length > 0, 'it hands no face over')
        for (const face of handover.faces) assert.ok(paths[face] !== undefined, `it hands ${face} over and does not speak it`)
        assert.match(handover.field, /^[A-Za-z0-9_.-]+$/)
        JSON.parse(handover.ask)
      },
    },
    {
      title: 'its paths start with a slash and its header names are lower-case',
      async run() {
        const { paths, headers } = dialect()
        assert.ok(
          Object.values(paths).some((path) => path !== undefined),
          'it speaks no face',
        )
        for (const path of Object.values(paths)) assert.match(path, /^\/[^\s?#]*$/)
        for (const name of [...(headers.strip ?? []), ...Object.keys(headers.set ?? {})]) assert.match(name, headerName)
        for (const value of Object.values(headers.set ?? {})) assert.match(value, /^[\t\x20-\x7e]*$/)
      },
    },
    {
      title: 'it classifies every status with any body, and twice alike',
      async run() {
        const { classify } = dialect()
        for (const body of ['', ...randomTexts(20, bodyWords)]) {
          for (let status = 200; status <= 599; status += 1) {
            const verdict = dialect().classify(status, {}, body)
            assert.ok(classes.includes(verdict), `status ${status} is ${verdict}`)
            assert.equal(classify.call(dialect(), status, { 'retry-after': '1' }, body).length > 0, true)
            assert.equal(dialect().classify(status, {}, body), verdict, `status ${status} is judged by luck`)
          }
        }
        assert.equal(dialect().classify(200, {}, ''), 'ok')
        assert.notEqual(dialect().classify(400, {}, ''), 'ok')
        assert.notEqual(dialect().classify(503, {}, ''), 'ok')
      },
    },
    {
      title: 'it judges the end of any stream, and an error is never a success',
      async run() {
        const { streamEnd } = dialect()
        for (const tail of randomTexts(2000, tailWords))
          assert.ok(ends.includes(streamEnd(tail)), `${JSON.stringify(tail)} ended ${streamEnd(tail)}`)
        assert.equal(streamEnd(chunk + last + done), 'complete')
        assert.notEqual(streamEnd(''), 'complete')
        assert.notEqual(streamEnd(chunk), 'complete')
        assert.equal(streamEnd(chunk + failure), 'error')
        assert.equal(streamEnd(chunk + failure + done), 'error', '[DONE] after an error makes it no success')
      },
    },
    {
      title: 'it tells of any request whether its plain answer can be collected from a stream',
      async run() {
        const bodies = [{}, { stream: true }, { n: 2 }, { messages: [] }, { prompt: ['a', 'b'] }, { tools: null }, { logprobs: 'x' }]
        for (const [face, shape] of Object.entries(dialect().collect ?? {})) {
          for (const body of bodies) assert.equal(typeof shape.fits(fieldsOf(body)), 'boolean', `${face}: ${JSON.stringify(body)}`)
          assert.ok(shape.template.includes('<text>'), `${face}: a template without <text>`)
        }
      },
    },
    {
      title: 'an answer with content is served, whatever its shape',
      async run() {
        const { isUnserved } = dialect()
        for (const text of randomTexts(200, [...bodyWords, ...tailWords])) assert.equal(typeof (isUnserved?.(text) ?? false), 'boolean')
        assert.equal(isUnserved?.('{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}') ?? false, false)
      },
    },
  ]
}

/** A request's body as the proxy shows it to a dialect. */
function fieldsOf(body: Readonly<Record<string, unknown>>): BodyFields {
  return { names: Object.keys(body), value: (name) => body[name], isText: (name) => typeof body[name] === 'string' }
}
