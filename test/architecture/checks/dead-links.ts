import { posix } from 'node:path'
import type { Check, SourceFile } from '../source-file.js'

const link = /\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g

/** Relative links of Markdown pages that lead nowhere; code blocks do not count. */
export function deadLinks(exists: (path: string) => boolean): Check {
  return (files) =>
    files.flatMap((file) =>
      targetsOf(file)
        .filter(({ path }) => !exists(path))
        .map(({ written }) => ({ path: file.path, message: `links to ${written}, which is not there` })),
    )
}

function targetsOf({ path, text }: SourceFile): readonly { readonly written: string; readonly path: string }[] {
  const prose = text.replace(/```[\s\S]*?```/g, '')
  return [...prose.matchAll(link)].map((found) => {
    const written = found[1] ?? ''
    return { written, path: posix.join(posix.dirname(path), written) }
  })
}
