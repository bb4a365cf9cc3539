/** Reads a GGUF file by the letter of its format, for the tests of the script that writes one. */

export interface ReadTensor {
  readonly name: string
  readonly dimensions: readonly number[]
  readonly half: boolean
  /** From the start of the numbers. */
  readonly offset: number
  readonly bytes: number
}

export interface ReadGguf {
  readonly facts: Readonly<Record<string, unknown>>
  readonly tensors: readonly ReadTensor[]
  readonly dataBytes: number
  /** One number of a 16-bit matrix. */
  matrix(name: string): (row: number, column: number) => number
}

export function readGguf(file: Buffer): ReadGguf {
  const read = new Reader(file)
  if (read.text(4) !== 'GGUF' || read.u32() !== 3) throw new Error('no GGUF file of version 3')
  const tensorCount = read.u64()
  const facts: Record<string, unknown> = {}
  for (let left = read.u64(); left > 0; left -= 1) facts[read.string()] = read.value(read.u32())
  const tensors = Array.from({ length: tensorCount }, () => readTensor(read))
  const dataStart = Math.ceil(read.at / 32) * 32
  return {
    facts,
    tensors,
    dataBytes: file.length - dataStart,
    matrix: (name) =>
      matrixOf(
        file,
        dataStart,
        tensors.find((tensor) => tensor.name === name),
      ),
  }
}

function readTensor(read: Reader): ReadTensor {
  const name = read.string()
  const dimensions = Array.from({ length: read.u32() }, () => read.u64())
  const half = read.u32() === 1
  return { name, dimensions, half, offset: read.u64(), bytes: dimensions.reduce((product, size) => product * size, half ? 2 : 4) }
}

function matrixOf(file: Buffer, dataStart: number, tensor: ReadTensor | undefined): (row: number, column: number) => number {
  if (tensor === undefined || !tensor.half) throw new Error('no such matrix of 16-bit numbers')
  const view = new DataView(file.buffer, file.byteOffset + dataStart + tensor.offset, tensor.bytes)
  return (row, column) => view.getFloat16((row * (tensor.dimensions[0] ?? 0) + column) * 2, true)
}

class Reader {
  at = 0
  private readonly file: Buffer

  constructor(file: Buffer) {
    this.file = file
  }

  text(bytes: number): string {
    return this.file.toString('utf8', this.at, (this.at += bytes))
  }

  u32(): number {
    return this.file.readUInt32LE((this.at += 4) - 4)
  }

  u64(): number {
    return Number(this.file.readBigUInt64LE((this.at += 8) - 8))
  }

  string(): string {
    return this.text(this.u64())
  }

  /** The kinds that the script writes; any other is an error. */
  value(kind: number): unknown {
    if (kind === 4 || kind === 5) return this.u32()
    if (kind === 6) return this.file.readFloatLE((this.at += 4) - 4)
    if (kind === 7) return this.text(1) === '\u0001'
    if (kind === 8) return this.string()
    if (kind !== 9) throw new Error(`kind ${kind} at byte ${this.at}`)
    const inner = this.u32()
    return Array.from({ length: this.u64() }, () => this.value(inner))
  }
}
