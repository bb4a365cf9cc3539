/** One contender for a lock: claims it when told to, prints the outcome, keeps it until its input ends. Run by lock.test.ts in processes of its own. */
import { readFileSync } from 'node:fs'
import { acquireLock } from './lock.js'

const startOf = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]
  } catch {
    return undefined
  }
}

const own = { pid: process.pid, startTime: startOf(process.pid) ?? '' }
const isAlive = (holder: typeof own) => Promise.resolve(startOf(holder.pid) === holder.startTime)
process.stdout.write('ready\n')
process.stdin.once('data', () => {
  acquireLock(process.argv[2] ?? '', own, isAlive).then(
    () => process.stdout.write('won\n'),
    (error: Error) => process.stdout.write(`lost ${error.message}\n`),
  )
})
process.stdin.on('end', () => process.exit(0))
