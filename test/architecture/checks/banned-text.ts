/** Text that must stand in no file that people get. */
import type { Check, SourceFile } from '../source-file.js'

interface Banned {
  readonly pattern: RegExp
  readonly why: string
}

const bannedTexts: readonly Banned[] = [
  { pattern: /\bnpx lb\b/, why: 'another package owns that name on npm; say ./bin/lb, lb or plimsoll' },
  {
    pattern: /https?:\/\/[\w.-]*(?:registry\.npmjs\.org|verdaccio|artifactory|nexus)/,
    why: 'a registry host belongs to the machine, not to the repository',
  },
  {
    pattern: /(?<![\w.~-])\/(?:work\/(?:main|shared)|home\/(?!(?:you|me|user|ada|alice)\b)[a-z]|Users\/[A-Za-z])/,
    why: 'a path of one machine',
  },
  { pattern: /\b(?:TODO|FIXME|XXX)\b/, why: 'finish it, or write it into an issue' },
]

/** These two name what they forbid. */
const exempt = new Set(['test/architecture/checks/banned-text.ts', 'test/architecture/planted.test.ts'])

const isText = ({ path }: SourceFile) => !exempt.has(path) && !/\.(svg|png|jpg|http|gz)$|(^|\/)package-lock\.json$|\/fixtures\//.test(path)

export const bannedText: Check = (files) =>
  files.filter(isText).flatMap(({ path, text }) =>
    bannedTexts.flatMap(({ pattern, why }) => {
      const found = pattern.exec(text)
      return found === null ? [] : [{ path, message: `\`${found[0]}\`: ${why}` }]
    }),
  )

/** The lock file must not name where its packages came from: it would tie every clone to one registry. */
export const lockFileHosts: Check = (files) =>
  files
    .filter(({ path, text }) => path === 'package-lock.json' && /"resolved": "https?:/.test(text))
    .map(({ path }) => ({ path, message: 'names a registry host; .npmrc says omit-lockfile-registry-resolved' }))
