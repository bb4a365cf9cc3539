import { readFileSync } from 'node:fs'

/** This package's own version. */
export function coreVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
