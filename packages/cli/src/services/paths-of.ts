import { isLbError, statePaths, type StatePaths } from '@plimsoll/core'
import { findTarget, type TargetQuery } from './find-target.js'
import { prepareTopology } from './prepare-topology.js'

export interface NamedPaths extends StatePaths {
  readonly name: string
}

/** Paths of a topology that runs or has run, else of the one whose file is here. */
export async function pathsOf(query: TargetQuery & { readonly pluginRoots: readonly string[] }): Promise<NamedPaths> {
  const name = await nameOf(query)
  return { name, ...statePaths(name) }
}

async function nameOf(query: TargetQuery & { readonly pluginRoots: readonly string[] }): Promise<string> {
  try {
    return findTarget(query).name
  } catch (error) {
    if (!isLbError(error) || error.code !== 'LB_NOT_RUNNING') throw error
    return (await prepareTopology(query)).topology.name
  }
}
