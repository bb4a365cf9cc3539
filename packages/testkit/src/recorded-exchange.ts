import { readFileSync } from 'node:fs'

/** One exchange as it went over the wire. Form of the file: `# note`, `>>> request`, bytes, `<<< response`, bytes, `# timing: ...`. */
export interface RecordedExchange {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Lower-case names. */
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly requestBody: Buffer
  /** All bytes of the answer, its head first; empty where none came. */
  readonly answer: Buffer
  /** `server closed (EOF)`, or the error of the client that recorded it. */
  readonly ended: string
}

const REQUEST = '>>> request\n'
const RESPONSE = '\n\n<<< response\n'
const TIMING = '\n\n# timing'

/** Reads a recorded exchange. Throws where the file holds none. */
export function recordedExchange(file: string | URL): RecordedExchange {
  const bytes = readFileSync(file)
  const from = bytes.indexOf(REQUEST)
  const middle = bytes.indexOf(RESPONSE, from)
  const end = bytes.lastIndexOf(TIMING)
  if (from < 0 || middle < 0 || end < middle) throw new Error(`${String(file)} holds no recorded exchange`)
  const request = bytes.subarray(from + REQUEST.length, middle)
  const headEnd = request.indexOf('\r\n\r\n')
  const [first = '', ...lines] = request.toString('latin1', 0, headEnd).split('\r\n')
  const [method = '', path = ''] = first.split(' ')
  return {
    method,
    path,
    requestHeaders: Object.fromEntries(lines.map((line) => headerOf(line))),
    requestBody: request.subarray(headEnd + 4),
    answer: bytes.subarray(middle + RESPONSE.length, Math.max(end, middle + RESPONSE.length)),
    ended: /ended: (.*)/.exec(bytes.toString('latin1', end))?.[1] ?? '',
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
