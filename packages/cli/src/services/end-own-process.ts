import { setTimeout as sleep } from 'node:timers/promises'
import { commandLineOf, isSameProcess, ownerOf, type ProcessIdentity } from '@plimsoll/core'

const LOOK_EVERY_MS = 50
const HUNG_AFTER_MS = 3_000
/** Scripts that a keeper and a balancer run. */
const OWN_SCRIPTS = /\b(?:keeper|balancer)-main\.[jt]s\b/

/** Ends a recorded keeper or balancer, by force where it hangs. Returns why, where what lives there is not one of ours: it gets no signal then. */
export async function endOwnProcess(identity: ProcessIdentity): Promise<string | undefined> {
  const { pid } = identity
  if (!(await isSameProcess(identity))) return undefined
  if (pid < 2 || pid === process.pid || pid === process.ppid) return `process ${pid} cannot be its balancer`
  if ((await ownerOf(pid)) !== process.getuid?.()) return `process ${pid} belongs to another user`
  if (!OWN_SCRIPTS.test(await commandLineOf(pid))) return `process ${pid} is no balancer`
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadlineMs = performance.now() + HUNG_AFTER_MS
    if (!(await isSameProcess(identity))) return undefined
    process.kill(pid, signal)
    while (performance.now() < deadlineMs && (await isSameProcess(identity))) await sleep(LOOK_EVERY_MS)
  }
  return undefined
}
