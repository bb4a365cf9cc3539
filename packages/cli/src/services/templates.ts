import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { wrongInput } from '../wrong-input.js'

export interface Template {
  readonly name: string
  /** Its first comment line. */
  readonly summary: string
  /** The file, with the place of the schema filled in. */
  readonly text: string
}

/** In a package the templates lie inside it; in a checkout in its root. */
const folders = ['../../templates/topology', '../../../../templates/topology'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

export function templateNames(): string[] {
  const folder = folders.find((path) => existsSync(path))
  return folder === undefined ? [] : readdirSync(folder).sort()
}

/** Throws LB_WRONG_INPUT for a name that is not there. */
export function readTemplate(name: string): Template {
  const folder = folders.find((path) => existsSync(join(path, name, 'lb.yaml')))
  if (folder === undefined || !templateNames().includes(name))
    throw wrongInput(`there is no template \`${name}\``, `one of: ${templateNames().join(', ')}`)
  const text = readFileSync(join(folder, name, 'lb.yaml'), 'utf8')
  const [, first = ''] = text.split('\n').filter((line) => line.startsWith('#'))
  return { name, summary: first.replace(/^# /, ''), text: text.replace('__SCHEMA__', schemaUrl()) }
}

/** The schema file beside the installed core, for editors. */
export function schemaUrl(): string {
  return pathToFileURL(fileURLToPath(import.meta.resolve('@plimsoll/core/lb.schema.json'))).href
}
