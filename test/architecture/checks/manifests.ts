/** Every package says its licence, its runtime and what it ships, and all carry one version. */
import type { Check, SourceFile } from '../source-file.js'

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly private?: boolean
  readonly license?: string
  readonly description?: string
  readonly engines?: { readonly node?: string }
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
}

const isManifest = ({ path }: SourceFile) => /^packages\/[^/]+\/package\.json$/.test(path)

/** Lowest Node.js each package may promise: the CLI brings its own, the rest are libraries. */
const lowestNode = (path: string) => (path === 'packages/cli/package.json' ? '>=20' : '>=22.12')

export const manifests: Check = (files) => {
  const version = (JSON.parse(files.find(({ path }) => path === 'lerna.json')?.text ?? '{}') as Manifest).version
  return files.filter(isManifest).flatMap((file) => {
    const manifest = JSON.parse(file.text) as Manifest
    return faultsOf(manifest, file.path, version).map((message) => ({ path: file.path, message }))
  })
}

function faultsOf(manifest: Manifest, path: string, version: string | undefined): readonly string[] {
  const faults: string[] = []
  const must = (fine: boolean, fault: string) => void (fine || faults.push(fault))
  must(manifest.license === 'Apache-2.0', 'license is not Apache-2.0')
  must(manifest.engines?.node === lowestNode(path), `engines.node is not ${lowestNode(path)}`)
  must((manifest.files ?? []).length > 0, 'no files: everything would be published')
  must((manifest.description ?? '') !== '', 'no description')
  must(manifest.version === version, `version ${manifest.version} is not lerna's ${version}`)
  for (const [name, wanted] of Object.entries(manifest.dependencies ?? {})) {
    must(!name.startsWith('@plimsoll/') || wanted === version, `${name} is wanted as ${wanted}, not ${version}`)
    must(/^\d/.test(wanted), `${name} is not pinned: ${wanted}`)
  }
  return faults
}
