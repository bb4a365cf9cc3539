import { describe, expect, it } from 'vitest'
import { bannedText, lockFileHosts } from './checks/banned-text.js'
import { noEngineNames, noHostActs } from './checks/core-manners.js'
import { roomCycles } from './checks/cycles.js'
import { commandCeilings, fileCeilings, fileNames, roomOpenings } from './checks/files.js'
import { floors } from './checks/floors.js'
import { glossary, plainWords } from './checks/glossary.js'
import { lazyImports, strangers } from './checks/lazy-imports.js'
import { manifests } from './checks/manifests.js'
import { packageBorders } from './checks/package-borders.js'
import { readFiles, render, repositoryFiles, type Check } from './source-file.js'

const readable = /\.(ts|tsx|js|mjs|json|ya?ml|md|sh)$|(^|\/)(bin\/lb|\.ci\/run|scripts\/[a-z-]+|\.npmrc)$/
const files = readFiles(repositoryFiles().filter((path) => readable.test(path)))

const rules: readonly (readonly [string, Check])[] = [
  ['a room imports only from lower floors, through the index', floors],
  ['no room reaches itself through its imports', roomCycles],
  ['plugins see the published contract, the CLI the public entries', packageBorders],
  ['heavy packages are loaded by the function that needs them', lazyImports],
  ['core knows no command framework and no view', strangers],
  ['core names no engine', noEngineNames],
  ['core prints nothing, ends nothing, listens to no signal', noHostActs],
  ['no source is longer than 300 lines', fileCeilings],
  ['no command is longer than 80 lines', commandCeilings],
  ['files are named after the one thing inside', fileNames],
  ['each room opens with what it owns, refuses and where to start', roomOpenings],
  ['no file holds banned text', bannedText],
  ['the lock file names no registry', lockFileHosts],
  ['each package says licence, runtime, contents and the one version', manifests],
  ['the glossary holds every word of the plan', glossary],
  ['pages use one word per idea', plainWords],
]

describe('the repository', () => {
  it('is seen by the checks at all', () => {
    const paths = files.map(({ path }) => path)
    for (const known of ['packages/core/src/index.ts', 'packages/cli/package.json', 'package-lock.json', 'README.md'])
      expect(paths).toContain(known)
  })

  it.each(rules)('%s', (_title, check) => {
    expect(render(check(files))).toEqual([])
  })
})
