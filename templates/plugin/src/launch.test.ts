/** The plan really starts the engine, and the probe sees it load and become ready. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fetchingHost } from '@plimsoll/testkit'
import { plugin } from './index.js'

await test('what the plan starts becomes ready and answers', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const backend = plugin.createBackend({ id: 'test/node', url, models: ['model-a'], settings: { wordMs: 0, loadMs: 50 } }, fetchingHost)
  const plan = backend.launchPlan?.({ host: '127.0.0.1', port, replica: 0, extraPorts: [] })
  assert.ok(plan)
  const child = spawn(plan.command, plan.args, { env: { ...process.env, ...plan.env }, stdio: 'ignore' })
  try {
    for (const deadline = Date.now() + 15_000; ; await after(20)) {
      const report = await backend.probe(AbortSignal.timeout(1000)).catch(() => undefined)
      if (report?.verdict === 'ready') break
      assert.ok(Date.now() < deadline, 'not ready within 15 s')
    }
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'hello there' }] })
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
    const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] }
    assert.equal(choices[0]?.message.content, 'You said: hello there')
    assert.deepEqual(await backend.load?.(AbortSignal.timeout(1000)), { running: 0 })
  } finally {
    child.kill('SIGKILL')
  }
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
