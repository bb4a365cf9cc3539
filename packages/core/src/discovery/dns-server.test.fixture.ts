import { createSocket, type Socket } from 'node:dgram'

export interface ScriptedName {
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly srv?: readonly { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }[]
  /** Seconds. */
  readonly ttl?: number
  /** 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED; by record type or for all. */
  readonly code?: number | Readonly<Record<number, number>>
  /** No answer at all. */
  readonly silent?: boolean
}

const A = 1
const AAAA = 28
const SRV = 33

/** A DNS server on loopback that says what its script says; names that it does not know do not exist. */
export class DnsServer {
  names: Record<string, ScriptedName> = {}
  /** `TYPE name` of each query. */
  readonly queries: string[] = []
  address = ''
  private readonly socket: Socket = createSocket('udp4')

  async open(): Promise<this> {
    this.socket.on('message', (query, { port, address }) => {
      const answer = this.answer(query)
      if (answer !== undefined) this.socket.send(answer, port, address)
    })
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve))
    this.address = `127.0.0.1:${this.socket.address().port}`
    return this
  }

  close(): void {
    this.socket.close()
  }

  private answer(query: Buffer): Buffer | undefined {
    const { name, end } = nameAt(query, 12)
    const type = query.readUInt16BE(end)
    this.queries.push(`${type} ${name}`)
    const known = this.names[name]
    if (known?.silent === true) return undefined
    const code = known === undefined ? 3 : typeof known.code === 'number' ? known.code : (known.code?.[type] ?? 0)
    const records = code === 0 && known !== undefined ? recordsOf(known, type) : []
    const head = Buffer.from(query.subarray(0, 12))
    head.writeUInt16BE(0x8180 | code, 2)
    head.writeUInt16BE(records.length, 6)
    head.writeUInt16BE(0, 8)
    head.writeUInt16BE(0, 10)
    return Buffer.concat([head, query.subarray(12, end + 4), ...records.map((data) => record(type, known?.ttl ?? 1, data))])
  }
}

function recordsOf(known: ScriptedName, type: number): Buffer[] {
  if (type === A) return (known.a ?? []).map((address) => Buffer.from(address.split('.').map(Number)))
  if (type === AAAA) return (known.aaaa ?? []).map(v6)
  if (type !== SRV) return []
  return (known.srv ?? []).map(({ priority, weight, port, target }) => {
    const numbers = Buffer.alloc(6)
    for (const [index, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(value, index * 2)
    return Buffer.concat([numbers, encoded(target)])
  })
}

/** `fd00::5` with one gap. */
function v6(address: string): Buffer {
  const [before = '', after = ''] = address.split('::')
  const left = before === '' ? [] : before.split(':')
  const right = after === '' ? [] : after.split(':')
  const words = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]))
}

function record(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  // The name of the question, by a pointer to it.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.byteLength, 10)
  return Buffer.concat([head, data])
}

function encoded(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0])])
}

function nameAt(message: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = from
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}
