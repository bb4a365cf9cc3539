/** Starts the balancer's process in front of an origin and asks it what it knows. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Facts, Opened } from './balancer-process.js'

/** The two ways in: node:http with `balancer.handler`, and `balancer.listen`. */
export const doorNames = ['handler', 'listen'] as const
export type DoorName = (typeof doorNames)[number]

export interface Doors {
  readonly ports: Readonly<Record<DoorName, number>>
  readonly pid: number
  /** Why the process ended; undefined while it lives. */
  readonly ended: () => string | undefined
  facts(): Promise<Facts>
  close(): Promise<void>
}

/** `idle`: how long an engine may be silent in mid-answer; `firstToken`: before its answer. */
export async function openDoors(origin: { readonly url: string }, idle = '2s', firstToken = '2s'): Promise<Doors> {
  const main = fileURLToPath(new URL('./balancer-process.ts', import.meta.url))
  const child = spawn(process.execPath, [main, origin.url, idle, firstToken], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let stderr = ''
  let ended: string | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = `${stderr}${text}`.slice(-4_000)))
  child.once('exit', (code, signal) => (ended = `exit ${code ?? signal ?? 'unknown'}: ${stderr}`))
  const opened = await message<Opened>(child, 'opened', () => ended)
  return {
    ports: opened,
    pid: child.pid ?? 0,
    ended: () => ended,
    facts() {
      child.send('facts')
      return message<Facts>(child, 'facts', () => ended)
    },
    async close() {
      if (ended !== undefined) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
  }
}

function message<M extends Opened | Facts>(child: ChildProcess, kind: M['kind'], ended: () => string | undefined): Promise<M> {
  return new Promise((resolve, reject) => {
    const onMessage = (given: unknown): void => {
      if ((given as M).kind !== kind) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(given as M)
    }
    const onExit = (): void => reject(new Error(`the balancer's process ended: ${ended() ?? 'unknown'}`))
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}
