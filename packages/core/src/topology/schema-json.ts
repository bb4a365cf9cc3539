import { topologySchema } from './schema.js'

/** The text of lb.schema.json; scripts/docs writes it and a test compares it. */
export function schemaJson(): string {
  return `${JSON.stringify(topologySchema, undefined, 2)}\n`
}
