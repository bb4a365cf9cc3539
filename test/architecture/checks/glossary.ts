/** One word per idea: the glossary holds them all, and pages do not use the words it replaces. */
import { isTest, type Check } from '../source-file.js'

/** Words of the plan that a reader meets; each has a row in docs/glossary.md. */
export const words = [
  'topology',
  'host',
  'pool',
  'node group',
  'node',
  'engine',
  'Backend',
  'roster',
  'belief',
  'strategy',
  'policy',
  'lease',
  'revision',
  'rollout',
  'gateway',
  'control',
  'keeper',
  'drain',
]

/** Other products' words for our ideas. Prose about those products may still be needed: then say which product. */
const replaced: readonly (readonly [RegExp, string])[] = [
  [/\bworker nodes?\b/i, 'node'],
  [/\bserver farm\b/i, 'pool'],
  [/\bupstream (?:group|cluster)\b/i, 'pool'],
  [/\bconfig file\b/i, 'topology file'],
]

export const glossary: Check = (files) => {
  const page = files.find(({ path }) => path === 'docs/glossary.md')
  if (page === undefined) return [{ path: 'docs/glossary.md', message: 'is missing' }]
  return words
    .filter((word) => !new RegExp(`^\\| \\*{0,2}${word}\\*{0,2}[ ,(|]`, 'm').test(page.text))
    .map((word) => ({ path: page.path, message: `has no row for ${word}` }))
}

export const plainWords: Check = (files) =>
  files
    .filter(({ path }) => /^(docs\/(?!decisions)|README\.md)/.test(path) && path.endsWith('.md') && !isTest(path))
    .flatMap(({ path, text }) =>
      replaced.flatMap(([pattern, word]) => {
        const found = pattern.exec(text)
        return found === null ? [] : [{ path, message: `says ${found[0]}; our word is ${word}` }]
      }),
    )
