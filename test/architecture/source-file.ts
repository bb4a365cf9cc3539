/** The files that the checks look at. A check is a pure function over a list of them, so that a test can plant a violation in memory. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** One broken rule: where, and what to do about it. */
export interface Violation {
  readonly path: string
  readonly message: string
}

export type Check = (files: readonly SourceFile[]) => readonly Violation[]

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Tracked files and new ones that git does not ignore. */
export function repositoryFiles(): readonly string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  return [...new Set(list.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path)))
}

export function readFiles(paths: readonly string[]): readonly SourceFile[] {
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** TypeScript under the `src` of a package. */
export const isPackageSource = (path: string) => /^packages\/[^/]+\/src\/.*\.tsx?$/.test(path)

export const isTest = (path: string) => /\.test\.tsx?$|\.test\.fixture\.tsx?$|\/(testing|fixtures)\//.test(path)

export const render = (violations: readonly Violation[]) => violations.map(({ path, message }) => `${path}: ${message}`)
