import type { Gpu } from '../contracts/index.js'

/** `22 GiB`, `3.1 GiB`. */
export function gib(mib: number): string {
  const value = mib / 1024
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} GiB`
}

/** `GPU 0`, `GPU 0 slice 3g.20gb`. */
export function gpuName({ index, migProfile }: Gpu): string {
  return migProfile === undefined ? `GPU ${index}` : `GPU ${index} slice ${migProfile}`
}
