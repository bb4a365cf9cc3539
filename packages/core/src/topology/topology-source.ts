/** What was found on disk, not yet checked. */
export type TopologySource =
  | {
      readonly kind: 'text'
      /** Absolute. */ readonly file: string
      /** As errors show it. */ readonly shown: string
      readonly format: 'yaml' | 'json'
      readonly text: string
    }
  | {
      readonly kind: 'code'
      readonly file: string
      readonly shown: string
      /** What the module exports by default. */ readonly value: unknown
    }

export function isTopologySource(value: object): value is TopologySource {
  return 'kind' in value && 'file' in value && 'shown' in value
}
