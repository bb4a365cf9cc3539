import { MultipartError } from './multipart-error.js'

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** `; name=value` or `; name="value"`, over and over. A quoted value ends at the first quote. */
const PARAMETERS = `(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[^"]*"))*[ \\t]*`
const formType = new RegExp(`^multipart/form-data(${PARAMETERS})$`, 'i')
const disposition = new RegExp(`^form-data(${PARAMETERS})$`, 'i')
const headerLine = new RegExp(`^(${TOKEN}):[ \\t]*(.*)$`)
/** 1 to 70 of these, and no space at the end (RFC 2046). */
const boundaryText = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/
const plainEncodings = new Set(['7bit', '8bit', 'binary'])

/** The boundary that a content type names. */
export function boundaryOf(contentType: string): string {
  const found = formType.exec(contentType)
  if (found === null) throw new MultipartError('the content type is not multipart/form-data with a boundary', 0)
  const boundary = parametersOf(found[1] ?? '', 0).get('boundary')
  if (boundary === undefined || !boundaryText.test(boundary))
    throw new MultipartError('the content type names no boundary of 1 to 70 characters (RFC 2046)', 0)
  return boundary
}

/** Name of a part, from its head without the blank line. `at` is where that stands. */
export function partNameOf(head: string, delimiter: string, at: number): { readonly name: string; readonly isFile: boolean } {
  let parameters: ReadonlyMap<string, string> | undefined
  for (const line of head.split('\r\n')) {
    const found = headerLine.exec(line)
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (found === null || line.startsWith(delimiter) || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(line))
      throw new MultipartError('a part has a bad header line', at)
    const name = (found[1] ?? '').toLowerCase()
    const value = (found[2] ?? '').trimEnd()
    if (name === 'content-transfer-encoding' && !plainEncodings.has(value.toLowerCase()))
      throw new MultipartError('a part is encoded for mail; send it as it is', at)
    if (name !== 'content-disposition') continue
    if (parameters !== undefined) throw new MultipartError('a part has two Content-Disposition lines', at)
    parameters = dispositionOf(value, at)
  }
  const name = parameters?.get('name')
  if (parameters === undefined || name === undefined) throw new MultipartError('a part has no name', at)
  return { name, isFile: parameters.has('filename') || parameters.has('filename*') }
}

function dispositionOf(value: string, at: number): ReadonlyMap<string, string> {
  const found = disposition.exec(value)
  if (found === null) throw new MultipartError('a part has a Content-Disposition that is not of a form', at)
  const parameters = parametersOf(found[1] ?? '', at)
  if (parameters.has('name*')) throw new MultipartError('a part has an encoded name', at)
  return parameters
}

const parameter = new RegExp(`;[ \\t]*(${TOKEN})=(?:(${TOKEN})|"([^"]*)")`, 'g')

function parametersOf(text: string, at: number): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const [, name = '', token, quoted = ''] of text.matchAll(parameter)) {
    const key = name.toLowerCase()
    const value = token ?? quoted
    if (parameters.has(key)) throw new MultipartError(`the parameter ${key.slice(0, 40)} stands twice`, at)
    // For some readers such a quote ends the value, for others it belongs to it.
    if (value.endsWith('\\')) throw new MultipartError('a quote stands behind a backslash', at)
    parameters.set(key, value)
  }
  return parameters
}
