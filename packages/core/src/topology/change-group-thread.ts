/** The thread of change-group-aside.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../errors/index.js'
import type { ChangeAnswer, ChangeTask } from './change-group-aside.js'
import { changeGroup } from './change-group.js'
import { TopologyErrors } from './topology-errors.js'

async function answer({ group, change, topology, pool, engines }: ChangeTask): Promise<ChangeAnswer> {
  try {
    return { group: await changeGroup(group, change, { topology, pool, engines: new Map(engines) }) }
  } catch (error) {
    return error instanceof TopologyErrors ? { problems: error.problems } : { fault: messageOf(error) }
  }
}

parentPort?.postMessage(await answer(workerData as ChangeTask))
