/** Each check is shown a violation in memory and must report it; a check that cannot fail guards nothing. */
import { describe, expect, it } from 'vitest'
import { bannedText, lockFileHosts } from './checks/banned-text.js'
import { noEngineNames, noHostActs } from './checks/core-manners.js'
import { roomCycles } from './checks/cycles.js'
import { commandCeilings, fileCeilings, fileNames, roomOpenings } from './checks/files.js'
import { floors } from './checks/floors.js'
import { glossary, plainWords, words } from './checks/glossary.js'
import { lazyImports, strangers } from './checks/lazy-imports.js'
import { manifests } from './checks/manifests.js'
import { packageBorders } from './checks/package-borders.js'
import { render, type Check } from './source-file.js'

const run = (check: Check, ...files: readonly (readonly [string, string])[]) => render(check(files.map(([path, text]) => ({ path, text }))))

const core = (path: string) => `packages/core/src/${path}`

interface Planted {
  readonly title: string
  readonly check: Check
  readonly path: string
  readonly text: string
  readonly reported: RegExp
}

const planted: readonly Planted[] = [
  {
    title: 'a look up the stairs',
    check: floors,
    path: core('wire/a.ts'),
    text: `import { p } from '../proxy/index.js'`,
    reported: /wire \(floor 2\) imports proxy \(floor 5\)/,
  },
  {
    title: 'a look across the landing',
    check: floors,
    path: core('nodes/a.ts'),
    text: `import type { S } from '../strategies/index.js'`,
    reported: /nodes \(floor 4\) imports strategies/,
  },
  {
    title: 'a window instead of the door',
    check: floors,
    path: core('proxy/a.ts'),
    text: `import { s } from '../wire/socket.js'`,
    reported: /only through its index\.js/,
  },
  {
    title: 'a lazy look up',
    check: floors,
    path: core('wire/a.ts'),
    text: `const p = await import('../proxy/index.js')`,
    reported: /imports proxy/,
  },
  {
    title: 'a re-export from above',
    check: floors,
    path: core('errors/a.ts'),
    text: `export * from '../base/index.js'`,
    reported: /errors \(floor 0\) imports base/,
  },
  {
    title: 'an import of the package entry',
    check: floors,
    path: core('wire/a.ts'),
    text: `import { x } from '../index.js'`,
    reported: /stands above all rooms/,
  },
  { title: 'a room nobody planned', check: floors, path: core('attic/a.ts'), text: '', reported: /attic is not in the plan/ },
  {
    title: 'a plugin that takes the whole library',
    check: packageBorders,
    path: 'packages/plugin-vllm/src/a.ts',
    text: `import { createBalancer } from '@plimsoll/core'`,
    reported: /may not import @plimsoll\/core/,
  },
  {
    title: 'a CLI file that goes behind the entry',
    check: packageBorders,
    path: 'packages/cli/src/a.ts',
    text: `import { x } from '@plimsoll/core/dist/wire/index.js'`,
    reported: /may not import/,
  },
  {
    title: 'a path into another package',
    check: packageBorders,
    path: 'packages/cli/src/a.ts',
    text: `import { x } from '../../core/src/index.js'`,
    reported: /another package by path/,
  },
  {
    title: 'an eager execa in core',
    check: lazyImports,
    path: core('index.ts'),
    text: `import { execa } from 'execa'`,
    reported: /execa is loaded eagerly/,
  },
  {
    title: 'oclif in core',
    check: strangers,
    path: core('machines/a.ts'),
    text: `const { Command } = await import('@oclif/core')`,
    reported: /must not know @oclif\/core/,
  },
  {
    title: 'an eager ink in the CLI',
    check: lazyImports,
    path: 'packages/cli/src/commands/top.ts',
    text: `import { render } from 'ink'`,
    reported: /ink is loaded eagerly/,
  },
  {
    title: 'an engine name in core',
    check: noEngineNames,
    path: core('topology/a.ts'),
    text: `const engines = ['vllm']`,
    reported: /names the engine vllm/,
  },
  { title: 'a print in core', check: noHostActs, path: core('proxy/a.ts'), text: 'console.log(1)', reported: /uses console\.log/ },
  {
    title: 'an exit in core',
    check: noHostActs,
    path: core('proxy/a.ts'),
    text: 'function f() { process.exit(1) }',
    reported: /uses process\.exit/,
  },
  {
    title: 'a signal handler in core',
    check: noHostActs,
    path: core('proxy/a.ts'),
    text: `process.on('SIGTERM', f)`,
    reported: /uses process\.on/,
  },
  { title: 'a file of 301 lines', check: fileCeilings, path: core('proxy/a.ts'), text: 'x\n'.repeat(301), reported: /301 lines/ },
  {
    title: 'a command of 81 lines',
    check: commandCeilings,
    path: 'packages/cli/src/commands/up.ts',
    text: 'x\n'.repeat(81),
    reported: /81 lines/,
  },
  { title: 'a drawer', check: fileNames, path: core('proxy/utils.ts'), text: '', reported: /a drawer/ },
  { title: 'a drawer with a label', check: fileNames, path: core('proxy/socket-helpers.test.ts'), text: '', reported: /a drawer/ },
  { title: 'a camel', check: fileNames, path: core('proxy/requestFacts.ts'), text: '', reported: /kebab-case/ },
  {
    title: 'a room without an opening',
    check: roomOpenings,
    path: core('wire/index.ts'),
    text: `export * from './a.js'`,
    reported: /three lines/,
  },
  {
    title: 'the name that another package owns',
    check: bannedText,
    path: 'README.md',
    text: 'run npx lb up',
    reported: /another package owns/,
  },
  { title: 'a registry host', check: bannedText, path: 'docs/a.md', text: 'https://registry.npmjs.org/x', reported: /registry host/ },
  { title: 'a path of one machine', check: bannedText, path: 'docs/a.md', text: 'see /work/main/x', reported: /one machine/ },
  { title: 'a promise in a comment', check: bannedText, path: core('proxy/a.ts'), text: '// TODO later', reported: /finish it/ },
  {
    title: 'a lock file with hosts',
    check: lockFileHosts,
    path: 'package-lock.json',
    text: `"resolved": "https://x/y.tgz"`,
    reported: /registry host/,
  },
  { title: 'a page with a foreign word', check: plainWords, path: 'docs/a.md', text: 'a worker node', reported: /our word is node/ },
]

describe('a planted violation', () => {
  it.each(planted)('$title is reported', ({ check, path, text, reported }) => {
    expect(run(check, [path, text])).toEqual([expect.stringMatching(reported)])
  })

  it('of a cycle between rooms is reported with its way round', () => {
    const there = ['packages/cli/src/views/a.ts', `import { s } from '../services/b.js'`] as const
    const back = ['packages/cli/src/services/b.ts', `import type { v } from '../views/a.js'`] as const
    expect(run(roomCycles, there, back)).toEqual([expect.stringMatching(/views -> .*services -> .*views/)])
  })

  it('of an eager package is reported through every file between it and the entry', () => {
    const entry = [core('index.ts'), `export * from './machines/index.js'`] as const
    const room = [core('machines/index.ts'), `export { run } from './run.js'`] as const
    expect(run(lazyImports, entry, room, [core('machines/run.ts'), `import { execa } from 'execa'`])).toEqual([
      expect.stringMatching(/^packages\/core\/src\/machines\/run\.ts: execa is loaded eagerly \(packages\/core\/src\/index\.ts/),
    ])
    expect(run(lazyImports, entry, room, [core('machines/run.ts'), `const { execa } = await import('execa')`])).toEqual([])
  })

  it('of each manifest rule is reported', () => {
    const manifest = JSON.stringify({ name: '@plimsoll/x', version: '9.9.9', dependencies: { '@plimsoll/core': '1.0.0', yaml: '^2.0.0' } })
    const found = run(manifests, ['lerna.json', '{"version":"1.0.0"}'], ['packages/x/package.json', manifest]).join('\n')
    for (const fault of ['license', 'engines.node', 'no files', 'no description', 'version 9.9.9', 'yaml is not pinned'])
      expect(found).toContain(fault)
  })

  it('of a missing glossary row is reported by its word', () => {
    const rows = words.filter((word) => word !== 'lease').map((word) => `| ${word} | a meaning |`)
    expect(run(glossary, ['docs/glossary.md', rows.join('\n')])).toEqual(['docs/glossary.md: has no row for lease'])
  })
})

describe('what is allowed', () => {
  it.each<[string, Check, string, string]>([
    ['a look down through the door', floors, core('proxy/a.ts'), `import { s } from '../wire/index.js'`],
    ['contracts that name the clock', floors, core('contracts/a.ts'), `import type { Clock } from '../base/index.js'`],
    [
      'an import that stands in a comment',
      floors,
      core('wire/a.ts'),
      `// import { p } from '../proxy/index.js'\n/* import '../proxy/index.js' */`,
    ],
    [
      'a plugin that imports the contract',
      packageBorders,
      'packages/plugin-vllm/src/a.ts',
      `import { LbError } from '@plimsoll/core/plugin'`,
    ],
    ['the sim plugin with its model', packageBorders, 'packages/plugin-sim/src/a.ts', `import { presets } from '@plimsoll/engine-model'`],
    ['execa when it is needed', lazyImports, core('index.ts'), `const { execa } = await import('execa')`],
    ['a type of a heavy package', lazyImports, core('index.ts'), `import type { Ajv2020 } from 'ajv/dist/2020.js'`],
    ['an engine name in a comment', noEngineNames, core('wire/a.ts'), '/** vLLM answers 503 here. */'],
    ['the word console in a text', noHostActs, core('wire/a.ts'), `const hint = 'console.log of the engine'`],
    ['a method called on', noHostActs, core('wire/a.ts'), `child.process.on('exit', f)`],
    ['300 lines', fileCeilings, core('wire/a.ts'), 'x\n'.repeat(300)],
    ['a long test', fileCeilings, core('wire/a.test.ts'), 'x\n'.repeat(900)],
  ])('%s passes', (_title, check, path, text) => {
    expect(run(check, [path, text])).toEqual([])
  })
})
