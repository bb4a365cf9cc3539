import assert from 'node:assert/strict'
import type { Backend } from '@plimsoll/core/plugin'
import { checkedFacts } from './checked-facts.js'
import type { ContractRule } from './contract.js'
import { randomTexts } from './random-text.js'
import type { Workbench } from './workbench.js'

const kinds = ['out-of-memory', 'port-taken', 'model-missing', 'model-gated', 'no-space', 'no-network', 'driver', 'bad-settings', 'other']
const words = [
  'ERROR ',
  'Traceback (most recent call last):\n',
  'CUDA out of memory. Tried to allocate 2.00 GiB',
  'Address already in use',
  'No space left on device',
  'No such file or directory',
  'Loading weights: 50%',
  ' 3/10 ',
  '100%|',
  '\r',
  '\n',
  '401 Client Error',
]

/** What is read out of logs: any text may stand there, the end of a line may be missing, the start was cut somewhere. */
export function logRules(bench: Workbench): readonly ContractRule[] {
  const reader = (): Promise<Backend> | Backend => (bench.plugin.canLaunch ? bench.launched() : bench.attached('http://127.0.0.1:1'))
  return [
    {
      title: 'it reads any log without failing, and what it says is fit for people',
      async run() {
        const backend = await reader()
        for (const log of ['', '\n', ...randomTexts(500, words), 'x'.repeat(200_000)]) {
          checkedStep(backend, log)
          checkedDiagnosis(backend, log)
          if (backend.loadFromLog !== undefined) checkedFacts(backend.loadFromLog(log))
        }
      },
    },
  ]
}

function checkedStep(backend: Backend, log: string): void {
  const step = backend.loadingStep?.(log)
  assert.deepEqual(backend.loadingStep?.(log), step)
  if (step === undefined) return
  assert.match(step.step, /^[^\n\r]{1,300}$/)
  assert.ok(step.progress === undefined || (step.progress >= 0 && step.progress <= 1), `progress ${step.progress}`)
}

function checkedDiagnosis(backend: Backend, log: string): void {
  const diagnosis = backend.diagnose?.(log)
  assert.deepEqual(backend.diagnose?.(log), diagnosis)
  if (diagnosis === undefined) return
  assert.ok(kinds.includes(diagnosis.kind), diagnosis.kind)
  assert.match(diagnosis.message, /^[^\n\r]{1,2000}$/)
  assert.match(diagnosis.hint, /\S/)
}
