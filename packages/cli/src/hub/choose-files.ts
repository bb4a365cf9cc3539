import { LbError } from '@plimsoll/core'
import type { HubReference } from './hub-reference.js'
import type { HubFile } from './repository-files.js'

export interface FileWish {
  readonly reference: HubReference
  /** One GGUF model is wanted, not the whole repository. */
  readonly gguf?: boolean
  /** With `*`; instead of the choice that is made here. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** What llama-server takes where nobody says which. */
const usualQuants = ['Q4_K_M', 'Q8_0']
const otherFormats = /\.(bin|pt|pth|ckpt|h5|msgpack|onnx|onnx_data|ot|tflite|gguf|mlmodel)$/i

/** Which files of a repository make the model: one GGUF with its parts, or the safetensors with all that belongs to them. Throws LB_MODEL_NOT_FOUND. */
export function chooseFiles(files: readonly HubFile[], wish: FileWish): readonly HubFile[] {
  const { include = [], exclude = [], reference } = wish
  const kept = files.filter(({ path }) => path !== '.gitattributes' && !exclude.some((glob) => matches(glob, path)))
  const chosen = include.length > 0 ? kept.filter(({ path }) => include.some((glob) => matches(glob, path))) : usual(kept, wish)
  if (chosen.length > 0) return chosen
  const names = files.map(({ path }) => path).filter((path) => /\.(gguf|safetensors)$/.test(path))
  throw new LbError(`${reference.repo} has no file that is wanted`, {
    code: 'LB_MODEL_NOT_FOUND',
    source: 'operator',
    hint: names.length === 0 ? 'it holds no weights' : `it has ${names.slice(0, 12).join(', ')}${names.length > 12 ? ' and more' : ''}`,
  })
}

function usual(files: readonly HubFile[], { reference: { file, quant }, gguf }: FileWish): readonly HubFile[] {
  if (file !== undefined) return files.filter(({ path }) => path === file)
  const isSafe = files.some(({ path }) => path.endsWith('.safetensors'))
  if (quant !== undefined || gguf === true || (!isSafe && files.some(isGguf))) return ggufOf(files, quant)
  if (!isSafe) return files
  const isNamedModel = files.some(({ path }) => /(^|\/)model[^/]*\.safetensors$/.test(path))
  return files.filter(
    ({ path }) =>
      !otherFormats.test(path) &&
      !/^(original|onnx|metal)\//.test(path) &&
      !(isNamedModel && /(^|\/)consolidated[^/]*\.safetensors$/.test(path)),
  )
}

/** The quantisation that is named, else the usual one, else the first; all its parts, and the projector of a model that sees. */
function ggufOf(files: readonly HubFile[], quant: string | undefined): readonly HubFile[] {
  const models = files.filter((file) => isGguf(file) && !/mmproj/i.test(file.path))
  const ofQuant = (wanted: string): HubFile[] =>
    models.filter(({ path }) => new RegExp(`(^|[-._/])${escaped(wanted)}([-./]|$)`, 'i').test(path))
  const wanted = quant === undefined ? (usualQuants.map(ofQuant).find((found) => found.length > 0) ?? models) : ofQuant(quant)
  const [first] = wanted
  if (first === undefined) return []
  const stem = partStem(first.path)
  const projectors = files.filter(({ path }) => /mmproj/i.test(path))
  const projector = projectors.find(({ path }) => /f16/i.test(path)) ?? projectors[0]
  return [...wanted.filter(({ path }) => partStem(path) === stem), ...(projector === undefined ? [] : [projector])]
}

/** `m-00001-of-00003.gguf` and its brothers are one model. */
function partStem(path: string): string {
  return path.replace(/-\d{5}-of-\d{5}\.gguf$/i, '.gguf')
}

function isGguf({ path }: HubFile): boolean {
  return path.toLowerCase().endsWith('.gguf')
}

function matches(glob: string, path: string): boolean {
  const pattern = glob.split('*').map(escaped).join('.*')
  return new RegExp(`^${pattern}$`).test(path) || new RegExp(`^(.*/)?${pattern}$`).test(path)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
