/** What `launch.model` names: a GGUF file, a repository that llama-server fetches from, or nothing (router mode). */
export type Weights =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'hugging-face'
      /** `org/repo`. */ readonly repo: string
      /** `Q4_K_M`; absent: llama-server chooses. */ readonly quant?: string
    }
  | { readonly kind: 'none' }

/** `/models/x.gguf` or `hf:org/repo:Q4_K_M`. */
export function parseWeights(text: string | undefined): Weights {
  if (text === undefined) return { kind: 'none' }
  if (!text.startsWith('hf:')) return { kind: 'file', path: text }
  const [repo = '', quant] = text.slice('hf:'.length).split(':')
  return { kind: 'hugging-face', repo, ...(quant === undefined || quant === '' ? {} : { quant }) }
}
