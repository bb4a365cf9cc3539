import { topologySchema } from './schema.js'

/** The text of lb.schema.json; scripts/docs writes it and a test compares it. */
export function schemaJson(): string {
  const { $schema, title, description, ...rest } = topologySchema as object as Readonly<Record<string, unknown>>
  return `${JSON.stringify({ $schema, title, description, ...rest }, undefined, 2)}\n`
}
