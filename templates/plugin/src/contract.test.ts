/** The contract that every engine plugin keeps, with servers that answer as the engine does. Record real answers for yours. */
import { test } from 'node:test'
import { engineContract, startScriptedServer } from '@plimsoll/testkit'
import { plugin } from './index.js'

const rules = engineContract(plugin, {
  ready: () => startScriptedServer({ '/health': [200, '{"state":"ready","models":["model-a"]}'], '/load': [200, '{"running":1}'] }),
  loading: () => startScriptedServer({ '/health': [503, '{"state":"loading"}'] }),
  sick: () => startScriptedServer({ '/health': [500, '{"state":"broken"}'] }),
})

for (const { title, run } of rules) await test(title, run)
