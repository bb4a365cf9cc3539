import { resolve } from 'node:path'
import { LbError } from '@plimsoll/core'
import type { PullReport } from '../views/pull-report.js'
import { pullTalk } from '../views/pull-text.js'
import { pullModels, type PullModelsOptions } from './pull-models.js'

/** Pulls and tells how far it is. An interrupt keeps what came. Throws LB_INTERRUPTED. */
export async function pullWithTalk(
  options: Omit<PullModelsOptions, 'signal' | 'onProgress'>,
  write: (text: string) => void,
): Promise<PullReport> {
  const life = new AbortController()
  const interrupt = (): void => life.abort(interrupted())
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const { isTTY, columns } = process.stderr
  const talk = pullTalk({
    write,
    isTerminal: isTTY && process.env['TERM'] !== 'dumb',
    // Some pseudo terminals say 0.
    columns: columns > 0 ? columns : 80,
    nowMs: () => performance.now(),
  })
  try {
    const to = options.to === undefined ? undefined : resolve(options.cwd, options.to)
    return await pullModels({ ...options, to, signal: life.signal, onProgress: (progress) => talk.show(progress) })
  } finally {
    talk.end()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function interrupted(): LbError {
  return new LbError('interrupted; what was fetched is kept', {
    code: 'LB_INTERRUPTED',
    source: 'operator',
    hint: 'the same command goes on where it was',
  })
}
