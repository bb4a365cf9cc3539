/**
 * Heavy packages are loaded behind an `await import()`: who uses the library with attached engines loads none of them, and `lb status` draws no view.
 * What an entry reaches by static imports alone is what every start pays for.
 */
import { importsOf, packageOf, targetOf } from '../imports.js'
import { isPackageSource, isTest, type Check, type SourceFile, type Violation } from '../source-file.js'

const strangersToCore = new Set(['@oclif/core', 'oclif', 'ink', 'react', 'got'])
const heavy = new Set(['execa', 'ajv', 'ajv-formats', 'yaml', 'cosmiconfig', 'typebox', 'ink', 'react', 'got'])

const isEntry = (path: string) =>
  /^packages\/(?:[^/]+\/src\/(?:index|plugin)|cli\/src\/(?:commands\/.*|keeper\/[^/]*-main))\.ts$/.test(path)

export const strangers: Check = (files) =>
  files
    .filter(({ path }) => path.startsWith('packages/core/src/') && !isTest(path))
    .flatMap((file) =>
      importsOf(file)
        .flatMap((each) => packageOf(each) ?? [])
        .filter((name) => strangersToCore.has(name))
        .map(strangerIn(file)),
    )

const strangerIn =
  ({ path }: SourceFile) =>
  (name: string): Violation => ({ path, message: `core must not know ${name}` })

export const lazyImports: Check = (files) => {
  const sources = new Map(files.filter(({ path }) => isPackageSource(path) && !isTest(path)).map((file) => [file.path, file]))
  const faults = [...sources.values()].filter(({ path }) => isEntry(path)).flatMap((entry) => eagerFrom(entry, sources))
  return [...new Map(faults.map((fault) => [fault.path + fault.message, fault])).values()]
}

/** Walks the imports that remain at run time and are not lazy. */
function eagerFrom(entry: SourceFile, sources: ReadonlyMap<string, SourceFile>): readonly Violation[] {
  const queue = [entry]
  const seen = new Set(queue)
  const faults: Violation[] = []
  for (const file of queue) {
    for (const each of importsOf(file).filter(({ kind, typeOnly }) => kind === 'static' && !typeOnly)) {
      const name = packageOf(each)
      if (name !== undefined && heavy.has(name))
        faults.push({ path: file.path, message: `${name} is loaded eagerly (${entry.path} reaches it); use await import()` })
      const target = targetOf(file, each)
      const next = sources.get(target ?? '') ?? sources.get(`${target ?? ''}x`)
      if (next !== undefined && !seen.has(next)) {
        seen.add(next)
        queue.push(next)
      }
    }
  }
  return faults
}
