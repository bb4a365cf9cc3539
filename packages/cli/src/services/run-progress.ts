import type { OnRun } from './run-simulations.js'

const QUIET_MS = 1000

/** Says on a terminal which run is on, once it takes longer than a second; one line that the next one replaces. `end` clears it. */
export function runProgress(stream: NodeJS.WriteStream, quiet: boolean): { readonly onRun: OnRun; end(): void } {
  const startedMs = performance.now()
  let shown = false
  const write = (text: string): void => void stream.write(`\r\u001b[K${text}`)
  return {
    onRun(done, of, what) {
      const elapsedMs = performance.now() - startedMs
      if (quiet || !stream.isTTY || elapsedMs < QUIET_MS) return
      shown = true
      const leftS = Math.round(((of - done) * elapsedMs) / done / 1000)
      write(`run ${done + 1} of ${of}: ${what}${done === 0 ? '' : `, about ${leftS} s left`}`)
    },
    end() {
      if (shown) write('')
    },
  }
}
