import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { regExpOf } from './golden-schema.js'

/** An answer may send a careless expression round for years, and with it the thread it runs on: it runs on one that can be ended. */
const matching = `begin()
parentPort.postMessage(workerData.patterns.map((pattern) => pattern.test(workerData.text)))`
/** A schema may hold such an expression too. */
const checking = `const { Ajv2020 } = require(workerData.ajv)
const ajv = new Ajv2020({ strict: false, logger: false })
begin()
const fault = (error) => (error.instancePath === '' ? 'it' : error.instancePath) + ' ' + error.message
parentPort.postMessage(ajv.validate(workerData.schema, workerData.value) ? '' : fault(ajv.errors[0]))`

/** On a machine that is busy a thread takes its time to begin: that is none of the expression's doing. */
const begun = 'begun'
const beginning = `const { parentPort, workerData } = require('node:worker_threads')
const begin = () => parentPort.postMessage('${begun}')`

const limitMs = 1_000

/** Which of the expressions match; undefined where that takes longer than a second. */
export function matchesOf(sources: readonly string[], text: string): Promise<readonly boolean[] | undefined> {
  return inThread(matching, { patterns: sources.map(regExpOf), text })
}

/** What a JSON schema finds wrong with a value, empty where nothing is; undefined where that takes longer than a second. Throws where it is no schema. */
export function schemaFaultOf(schema: object, value: unknown): Promise<string | undefined> {
  return inThread(checking, { schema, value, ajv: createRequire(import.meta.url).resolve('ajv/dist/2020.js') })
}

function inThread<Answer>(program: string, workerData: object): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(`${beginning}\n${program}`, { eval: true, workerData })
    let timer: NodeJS.Timeout | undefined
    const end = (tell: () => void) => {
      clearTimeout(timer)
      void worker.terminate()
      tell()
    }
    worker.once('exit', () => end(() => reject(new Error('the thread that checks it ended by itself'))))
    worker.on('message', (said: Answer | typeof begun) => {
      if (said === begun) timer = setTimeout(() => end(() => resolve(undefined)), limitMs)
      else end(() => resolve(said as Answer))
    })
    worker.once('error', (error) => end(() => reject(error)))
  })
}
