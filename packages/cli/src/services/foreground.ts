import { isLbError } from '@plimsoll/core'
import { exitCodes } from '../exit-codes.js'
import { canShowLive, runLiveView } from '../live/index.js'
import { eventText } from '../views/event-text.js'
import { jsonText } from '../views/json-text.js'
import { upReport } from '../views/up-report.js'
import type { UpBalancer } from './bring-up.js'
import { waitUntilSettled } from './wait-until-settled.js'

export interface Voice {
  readonly json: boolean
  print(text: string): void
  say(text: string): void
}

/** Stays with the balancer until it has stopped or is left alone; returns the exit code. */
export async function foreground(up: UpBalancer, voice: Voice): Promise<number> {
  return !voice.json && canShowLive() ? liveView(up, voice) : plainLog(up, voice)
}

async function liveView({ client, launched, curl }: UpBalancer, voice: Voice): Promise<number> {
  const end = await runLiveView({ client, mode: 'up', curl })
  if (end === 'leave') {
    launched.detach()
    voice.say('It runs on. lb top watches it, lb down stops it.')
    return exitCodes.done
  }
  if (end === 'closed') await client.stop({}).catch(() => undefined)
  const code = await launched.ended
  voice.say(code === 0 ? 'Stopped. lb up starts it again.' : `It ended badly; its log says why: ${launched.logPath}`)
  return code === 0 ? exitCodes.done : exitCodes.failed
}

/** Events as lines, until a signal: the first one drains and stops, the second cuts. */
async function plainLog(up: UpBalancer, voice: Voice): Promise<number> {
  const life = new AbortController()
  const signals = stopOnSignals(up, voice)
  const following = followEvents(up, voice, life.signal)
  void announce(up, voice)
  const code = await Promise.race([up.launched.ended, signals.unheard])
  life.abort()
  await following
  signals.release()
  // This process goes, the keeper sees it and ends the balancer.
  if (code === 'unheard') process.exit(exitCodes.aborted)
  if (code !== 0) voice.say(`It ended badly; its log says why: ${up.launched.logPath}`)
  else voice.say('Stopped. lb up starts it again.')
  if (signals.interrupted()) return exitCodes.interrupted
  return code === 0 ? exitCodes.done : exitCodes.failed
}

/** Once the nodes have settled: the address, a request to copy, what next. */
async function announce({ client, curl }: UpBalancer, voice: Voice): Promise<void> {
  try {
    const status = await waitUntilSettled(client)
    if (voice.json) return
    voice.print(`${upReport(status, { curl, detached: false })}\n`)
  } catch {
    // It stopped before it was ready; the log tells.
  }
}

async function followEvents({ client }: UpBalancer, voice: Voice, signal: AbortSignal): Promise<void> {
  await client
    .events((event) => voice.print(voice.json ? `${jsonText(event, { lines: true })}\n` : `${eventText(event)}\n`), signal)
    .catch(() => undefined)
}

interface Signals {
  release(): void
  interrupted(): boolean
  /** The balancer could not even be asked to stop. */
  readonly unheard: Promise<'unheard'>
}

function stopOnSignals({ client }: UpBalancer, voice: Voice): Signals {
  const unheard = Promise.withResolvers<'unheard'>()
  let count = 0
  let interrupted = false
  const stop = (signal: NodeJS.Signals): void => {
    count += 1
    interrupted ||= signal === 'SIGINT'
    if (count === 1) voice.say(`${signal}: draining, then stopping; again to cut what is running`)
    void client.stop(count === 1 ? {} : { force: true }).catch((error: unknown) => {
      // One that is already on its way out answers no more; that is no failure.
      if (!isLbError(error) || error.code !== 'LB_NOT_RUNNING') unheard.resolve('unheard')
    })
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  return {
    release() {
      for (const signal of signals) process.off(signal, stop)
    },
    interrupted: () => interrupted,
    unheard: unheard.promise,
  }
}
