import { Type, type Static } from 'typebox'
import { gateway } from './schema-gateway.js'
import { hosts } from './schema-hosts.js'
import { namePattern } from './name-pattern.js'
import { mapOf, name } from './schema-parts.js'
import { pool } from './schema-pool.js'

/** The one source of the topology's checks, of lb.schema.json and of the reference page. Loading this costs 100 ms of CPU: running code reads lb.schema.json. */
export const topologySchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'For editors of JSON files; has no effect.' })),
    version: Type.Optional(Type.Literal(1, { description: 'Version of this format.', default: 1, errorMessage: '1' })),
    name: Type.Optional(name("Name of the topology. Default: the folder's name with a short hash of its path.")),
    gateway: Type.Optional(gateway),
    hosts: Type.Optional(hosts),
    pools: mapOf(pool, {
      description: 'The pools by name.',
      expected: 'at least one pool, such as chat: { nodes: [...] }',
      names: { pattern: namePattern, expected: 'lower-case letters, digits and hyphens, such as chat' },
      size: { minProperties: 1, maxProperties: 256 },
    }),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Plimsoll topology, version 1',
    errorMessage: 'keys, at least pools: { chat: { nodes: [...] } }',
    description: 'What lb makes so: a gateway and pools of nodes.',
    additionalProperties: false,
    patternProperties: { '^x-': {} },
  },
)

/** A topology as people write it. */
export type TopologyInput = Static<typeof topologySchema>
