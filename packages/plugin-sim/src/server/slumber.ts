import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Refusal } from './refusal.js'
import type { SimEngine } from './sim-engine.js'

/** `POST /sleep`: the weights leave the accelerator, as by level 1 of a vLLM. It refuses while requests run: whoever sends it to sleep then would cut them. */
export function handleSleep(engine: SimEngine, _request: IncomingMessage, response: ServerResponse): void {
  if (engine.settings.wakeMs === undefined) throw new Refusal(404, 'Not Found: started without --wake-ms, it cannot sleep')
  const { running, waiting } = engine.model.stats
  if (running + waiting > 0) throw new Refusal(409, `${running + waiting} requests are not done`)
  engine.isAsleep = true
  engine.memory?.sleep()
  response.writeHead(200).end()
}

/** `POST /wake_up`: takes as long as it was told, and fails where others have its memory. */
export async function handleWake(engine: SimEngine, _request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { wakeMs } = engine.settings
  if (wakeMs === undefined) throw new Refusal(404, 'Not Found: started without --wake-ms, it cannot sleep')
  if (engine.isAsleep) {
    if (engine.memory?.take() === false) throw new Refusal(500, 'CUDA out of memory: others use the simulated GPU')
    await pause(wakeMs)
    engine.isAsleep = false
  }
  response.writeHead(200).end()
}

export function handleIsSleeping(engine: SimEngine, _request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ is_sleeping: engine.isAsleep }))
}
