import type { LiveClient, LiveEnd, LiveMode } from './live-client.js'
import { LiveSession } from './live-session.js'
import type { mount as Mount } from './mount.js'

export interface LiveViewOptions {
  readonly client: LiveClient
  /** `up` owns what it shows, so quitting asks whether to stop it; `top` only looks. */
  readonly mode: LiveMode
  /** A request to copy, complete and on one line. */
  readonly curl: string
  readonly stdout?: NodeJS.WriteStream
  readonly stdin?: NodeJS.ReadStream
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Whether a live view can be drawn here; where not, print a snapshot or a log instead. */
export function canShowLive(
  stdout: NodeJS.WriteStream = process.stdout,
  stdin: NodeJS.ReadStream = process.stdin,
  env = process.env,
): boolean {
  // A stream that is no terminal has no isTTY at all, whatever its type says.
  return [stdout, stdin].every((stream) => 'isTTY' in stream && stream.isTTY) && env['TERM'] !== 'dumb'
}

/**
 * Draws the balancer on the terminal until the user is done; the screen is restored before the promise settles. In `up` mode the view
 * itself asks the balancer to stop and watches it drain; on `closed` nobody is left to watch, so draining and stopping is the caller's.
 */
export async function runLiveView({
  client,
  mode,
  curl,
  stdout = process.stdout,
  stdin = process.stdin,
  env = process.env,
}: LiveViewOptions): Promise<LiveEnd> {
  const { mount } = await importInk()
  const session = new LiveSession({ client, mode, curl })
  const release = endWithTerminal(session, stdout, stdin)
  try {
    await session.start()
    const app = mount(session, { stdout, stdin, env })
    void app.waitUntilExit().then(
      () => session.end('closed'),
      () => session.end('closed'),
    )
    const end = await session.ended
    app.unmount()
    await app.waitUntilExit()
    return end
  } finally {
    session.end('closed')
    release()
  }
}

/** React decides at its import which of its builds to load; the development one costs twice the CPU, so the user's own NODE_ENV must not choose it. */
async function importInk(): Promise<{ mount: typeof Mount }> {
  const { NODE_ENV: before } = process.env
  process.env['NODE_ENV'] = 'production'
  try {
    return await import('./mount.js')
  } finally {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  }
}

/** A hang-up, a TERM, an ended stdin or a broken stdout all mean that nobody looks any more. */
function endWithTerminal(session: LiveSession, stdout: NodeJS.WriteStream, stdin: NodeJS.ReadStream): () => void {
  const closed = (): void => session.end('closed')
  const interrupted = (): void => session.press('c', { ctrl: true })
  process.on('SIGTERM', closed).on('SIGINT', interrupted)
  stdin.on('end', closed).on('close', closed)
  stdout.on('close', closed)
  // These stay: a terminal that goes away hangs up twice and then fails at every touch (raw mode, last words), and a single unheard one of
  // these would end the process before the balancer is drained.
  process.on('SIGHUP', closed)
  for (const stream of [stdin, stdout, process.stderr]) stream.on('error', closed)
  return () => {
    process.off('SIGTERM', closed).off('SIGINT', interrupted)
    stdin.off('end', closed).off('close', closed)
    stdout.off('close', closed)
  }
}
