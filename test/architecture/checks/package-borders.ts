/** What one package may see of another: plugins the published contract, the CLI the public entries, and never a path into another package. */
import { importsOf, packageOf, targetOf, type Import } from '../imports.js'
import { isPackageSource, isTest, type Check, type SourceFile, type Violation } from '../source-file.js'

const publicCore = new Set(['', '/client', '/keeper', '/lb.schema.json', '/package.json'].map((entry) => `@plimsoll/core${entry}`))

/** What of ours each package may import; a plugin gets the one contract. */
function mayImport(owner: string, specifier: string): boolean {
  if (owner === 'core' || owner === 'engine-model') return false
  if (owner === 'simulate') return specifier === '@plimsoll/core/routing' || specifier === '@plimsoll/engine-model'
  if (owner === 'cli' && specifier === '@plimsoll/simulate') return true
  if (owner === 'testkit' && specifier === '@plimsoll/core/routing') return true
  if (owner === 'cli' || owner === 'testkit') return publicCore.has(specifier) || specifier === '@plimsoll/core/plugin'
  if (owner === 'plugin-sim' && specifier === '@plimsoll/engine-model') return true
  return owner.startsWith('plugin-') ? specifier === '@plimsoll/core/plugin' : publicCore.has(specifier)
}

export const packageBorders: Check = (files) => files.filter(({ path }) => isPackageSource(path) && !isTest(path)).flatMap(bordersOf)

function bordersOf(file: SourceFile): readonly Violation[] {
  const owner = file.path.split('/')[1] ?? ''
  return importsOf(file).flatMap((each) => judge(file, owner, each))
}

function judge(file: SourceFile, owner: string, each: Import): readonly Violation[] {
  const { path } = file
  const target = targetOf(file, each)
  if (target !== undefined && !target.startsWith(`packages/${owner}/`)) {
    return [{ path, message: `reaches into another package by path: ${each.specifier}` }]
  }
  if (packageOf(each)?.startsWith('@plimsoll/') !== true || mayImport(owner, each.specifier)) return []
  return [{ path, message: `${owner} may not import ${each.specifier}` }]
}
