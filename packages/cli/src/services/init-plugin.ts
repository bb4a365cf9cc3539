import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LbError } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'
import { coreFolder } from './core-link.js'

export interface NewPlugin {
  readonly folder: string
  readonly packageName: string
  readonly files: readonly string[]
}

/** In a package the template lies inside it; in a checkout in its root. */
const places = ['../../templates/', '../../../../templates/'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** What a new plugin brings, and the folder of its template. */
const templates = { engine: 'plugin', strategy: 'strategy', metric: 'metric' } as const

/** Versions that the template was tried with. */
const TOOLS = { __TYPESCRIPT__: '^7.0.0', __TYPES_NODE__: '^26.0.0' }

/** Writes a package that builds and tests as it is: one that launches a small engine, a small strategy, or a small metric. Throws LB_WRONG_INPUT, LB_FILE_EXISTS. */
export function writePlugin(name: string, cwd: string, brings: keyof typeof templates = 'engine'): NewPlugin {
  if (!/^[a-z][a-z0-9-]{0,60}$/.test(name))
    throw wrongInput(
      `\`${name.slice(0, 80)}\` is no ${brings} name`,
      'lower-case letters, digits and dashes, a letter first: lb init plugin my-engine',
    )
  const template = places.map((place) => join(place, templates[brings])).find((path) => existsSync(path))
  if (template === undefined) throw new Error('this installation holds no plugin template')
  const packageName = `lb-plugin-${name}`
  const folder = resolve(cwd, packageName)
  if (existsSync(folder) && readdirSync(folder).length > 0) throw exists(folder)
  const words = wordsFor(name)
  const files = readdirSync(template, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(template.length + 1))
  for (const file of files) {
    const path = join(folder, targetOf(file))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, filled(readFileSync(join(template, file), 'utf8'), words))
  }
  return { folder, packageName, files: files.map((file) => targetOf(file)).sort() }
}

/** npm would rename a `.gitignore` inside a package. */
function targetOf(file: string): string {
  return file === 'gitignore' ? '.gitignore' : file
}

/** From a registry, or, where lb itself runs from a checkout, from its folders. */
function wordsFor(name: string): Readonly<Record<string, string>> {
  const core = coreFolder()
  const { version } = JSON.parse(readFileSync(join(core, 'package.json'), 'utf8')) as { readonly version: string }
  const isPublished = core.includes(`${sep}node_modules${sep}`)
  const from = (folder: string) => (isPublished ? `^${version}` : `file:${join(dirname(core), folder)}`)
  return { __NAME__: name, __VERSION__: version, __CORE__: from('core'), __TESTKIT__: from('testkit'), ...TOOLS }
}

function filled(text: string, words: Readonly<Record<string, string>>): string {
  return text.replaceAll(/__[A-Z_]+?__/g, (word) => words[word] ?? word)
}

function exists(folder: string): LbError {
  return new LbError(`${folder} is there already and was left as it is`, {
    code: 'LB_FILE_EXISTS',
    source: 'operator',
    hint: 'take another name, or remove it first',
  })
}
