import { parseDuration } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'

/** `60s`, `500ms`, `2m` as milliseconds. Throws LB_WRONG_INPUT that names the flag. */
export function durationMs(flag: string, text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw wrongInput(`${flag} ${text} is no duration`, `write it as 500ms, 30s or 2m: ${flag} 30s`)
}

/** Of commands that may be waited for. */
export function timeoutOf({ timeout }: { readonly timeout?: string | undefined }): number | undefined {
  return timeout === undefined ? undefined : durationMs('--timeout', timeout)
}
