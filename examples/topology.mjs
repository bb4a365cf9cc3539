import { defineTopology } from '@plimsoll/core'

/** One pool, one attached engine; more `nodes` are more capacity. */
export const topologyFor = (engineUrl) =>
  defineTopology({
    version: 1,
    name: 'example',
    pools: { demo: { models: ['tiny'], nodes: [{ name: 'engine', engine: 'openai', attach: engineUrl }] } },
  })
