import { posix } from 'node:path'
import type { SourceFile } from './source-file.js'
import { withoutComments } from './strip.js'

export interface Import {
  readonly specifier: string
  readonly kind: 'static' | 'dynamic'
  /** `import type` and `export type`: gone at run time. */
  readonly typeOnly: boolean
}

const statements = /(?<![.\w$])(?:import|export)\s+(type\s+)?(?:[\w$*{][^'"`;]*?\sfrom\s*|)(['"])([^'"\n]+)\2/g
const calls = /(?<![.\w$])import\s*\(\s*(['"])([^'"\n]+)\1/g

/** Every import, re-export and dynamic import of a file. */
export function importsOf({ text }: SourceFile): readonly Import[] {
  const code = withoutComments(text)
  const fixed = [...code.matchAll(statements)].map((found): Import => ({
    specifier: found[3] ?? '',
    kind: 'static',
    typeOnly: found[1] !== undefined,
  }))
  const lazy = [...code.matchAll(calls)].map((found): Import => ({ specifier: found[2] ?? '', kind: 'dynamic', typeOnly: false }))
  return [...fixed, ...lazy]
}

/** Path of the source that a relative import means; undefined for packages. */
export function targetOf(from: SourceFile, { specifier }: Import): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(from.path), specifier).replace(/\.js$/, '.ts')
}

/** `@scope/name` or `name`; undefined for relative and built-in ones. */
export function packageOf({ specifier }: Import): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0]
}
