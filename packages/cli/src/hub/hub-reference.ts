/** A model on a hub, as people and topologies write it. */
export interface HubReference {
  /** `org/name`. */
  readonly repo: string
  /** Branch, tag or commit; `main` where none is given. */
  readonly revision?: string
  /** Of a repository of GGUF files: which one, `Q4_K_M`. */
  readonly quant?: string
  /** One file of it. */
  readonly file?: string
}

const FORM = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:\/([^@:]+))?(?:@([\w./-]+))?(?::([\w.-]+))?$/

/** Reads `[hf:]org/name[/file][@revision][:quant]`, or the page's address; undefined for what is none, such as a path. */
export function parseHubReference(text: string): HubReference | undefined {
  const plain = text.replace(/^(?:hf:|hf\.co\/|https:\/\/(?:huggingface\.co|hf\.co)\/)/, '')
  const [, repo, file, revision, quant] = FORM.exec(plain) ?? []
  if (repo === undefined || repo.includes('..') || file?.includes('..') === true) return undefined
  return {
    repo,
    ...(file === undefined ? {} : { file }),
    ...(revision === undefined ? {} : { revision }),
    ...(quant === undefined ? {} : { quant }),
  }
}
