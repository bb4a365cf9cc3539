type Config = Readonly<Record<string, unknown>>

/** What a model's config.json says that vLLM divides or limits by; undefined where it does not say. */
export interface ModelFigures {
  readonly layers: number | undefined
  readonly heads: number | undefined
  readonly kvHeads: number | undefined
  readonly headSize: number | undefined
  readonly contextTokens: number | undefined
  /** Experts that are chosen among; undefined for a model without. */
  readonly experts: number | undefined
  /** Latent attention (MLA): size of the vector that stands for keys and values together. */
  readonly latent: number | undefined
  /** Its files are quantised already. */
  readonly isQuantised: boolean
}

/** Models with eyes keep the language model's figures one level down. */
export function modelFigures(whole: Config): ModelFigures {
  const config = { ...whole, ...objectOf(whole['text_config']) }
  const heads = numberOf(config['num_attention_heads'])
  const hidden = numberOf(config['hidden_size'])
  const rank = numberOf(config['kv_lora_rank'])
  return {
    layers: numberOf(config['num_hidden_layers']),
    heads,
    kvHeads: numberOf(config['num_key_value_heads']) ?? heads,
    headSize: numberOf(config['head_dim']) ?? (hidden === undefined || heads === undefined ? undefined : hidden / heads),
    contextTokens: numberOf(config['max_position_embeddings']),
    experts: numberOf(config['num_experts']) ?? numberOf(config['n_routed_experts']) ?? numberOf(config['num_local_experts']),
    latent: rank === undefined ? undefined : rank + (numberOf(config['qk_rope_head_dim']) ?? 0),
    isQuantised: whole['quantization_config'] !== undefined,
  }
}

function objectOf(value: unknown): Config {
  return typeof value === 'object' && value !== null ? (value as Config) : {}
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
}
