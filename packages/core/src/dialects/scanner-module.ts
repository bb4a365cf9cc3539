import { bodyScannerWasm } from './body-scanner-wasm.js'

/** The WebAssembly of wasm/*.wat, with its memory seen as wasm/memory.wat lays it out. One for each thread; between calls nothing is kept in it but the secret. */
export interface ScannerModule {
  /** Reads the window's first `length` bytes as JSON, on from `state`. The number of an error, or -1. */
  scan(length: number): number
  /** Hashes blocks of the window, on from `chain`; the hashes stand in `hashes`, from the address `out`. */
  hash(at: number, blocks: number, size: number, out: number): void
  readonly state: Int32Array
  readonly marks: Int32Array
  readonly chain: Int32Array
  readonly hashes: Float64Array
  readonly secret: Uint8Array
  /** The salt that `secret` was made of. */
  secretOf: Uint8Array | undefined
  readonly window: Uint8Array
}

export const WINDOW_AT = 65_536
export const WINDOW_BYTES = 65_536
export const HASHES_AT = 20_480
export const SECRET_BYTES = 2_176
/** Most members of an object on the top level; also written in wasm/scan-json.wat. */
export const MAX_KEYS = 1_024

let loaded: ScannerModule | undefined

/** Compiled at first use, which takes one to three milliseconds. */
export function scannerModule(): ScannerModule {
  return (loaded ??= load())
}

function load(): ScannerModule {
  const module = new WebAssembly.Module(Buffer.from(bodyScannerWasm, 'base64'))
  const { memory, scan, hash } = new WebAssembly.Instance(module).exports as unknown as Pick<ScannerModule, 'scan' | 'hash'> & {
    readonly memory: WebAssembly.Memory
  }
  const { buffer } = memory
  return {
    scan,
    hash,
    state: new Int32Array(buffer, 0, 9),
    marks: new Int32Array(buffer, 1_024, MAX_KEYS * 4),
    chain: new Int32Array(buffer, 64, 2),
    hashes: new Float64Array(buffer, HASHES_AT, 256),
    secret: new Uint8Array(buffer, 24_576, SECRET_BYTES),
    secretOf: undefined,
    window: new Uint8Array(buffer, WINDOW_AT, WINDOW_BYTES),
  }
}
