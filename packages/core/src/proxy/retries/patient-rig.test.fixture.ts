import type { Socket } from 'node:net'
import { expect } from 'vitest'
import { plainAnswer, Rig } from '../scripted-gateway.test.fixture.js'

export const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })
export const busy = plainAnswer(429, { error: { message: 'slow down' } })
export const withRetryAfter = (answer: string, seconds: number): string => answer.replace('\r\n', `\r\nretry-after: ${seconds}\r\n`)

export const answering = (answer: string | (() => string)) => (socket: Socket) =>
  void socket.write(typeof answer === 'string' ? answer : answer())

/** A gateway that tries again and waits, as by default but for shorter pauses. */
export function patientRig(): Rig {
  const rig = new Rig('listen')
  rig.retries = 8
  rig.retryRules = { waitMs: 3_000, loadingMs: 3_000, pause: { firstMs: 10, longestMs: 40 } }
  return rig
}

/** Nothing is claimed, and nobody waits. */
export async function closed(rig: Rig): Promise<void> {
  await expect.poll(() => rig.settled).toBe(rig.opened)
  await expect.poll(() => rig.proxy?.inLine()).toEqual(new Map())
  await rig.close()
}

export const inLine = (rig: Rig): number => rig.proxy?.inLine().get('p') ?? 0
export const tries = (rig: Rig) => rig.records.at(-1)?.attempts.map(({ node, outcome }) => `${node} ${outcome}`)
