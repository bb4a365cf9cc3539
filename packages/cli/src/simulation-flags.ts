import { Flags } from './oclif.js'

/** Flags of the commands that work in virtual time: the fleet, and how much of chance. */
export const fleetFlags = {
  nodes: Flags.string({ description: 'How many engines, or several kinds: 4x8b-h100,4x8b-a100.', helpValue: 'N' }),
  profile: Flags.string({ description: 'Model and machine of each node: 8b-h100, 8b-a100, 3b-a10g, laptop-3b.', helpValue: 'NAME' }),
  slowness: Flags.string({
    description: 'Each step takes so many times as long as the profile says; lb replay finds it for a log.',
    helpValue: 'FACTOR',
  }),
  topology: Flags.string({ description: 'Nodes and strategy of this topology file; profiles as far as it names them.', helpValue: 'PATH' }),
  pool: Flags.string({ description: 'The pool of the topology or of the request log, where there are several.', helpValue: 'POOL' }),
  requests: Flags.integer({ description: 'Requests of one run; default: all of a trace, five minutes of a generated workload.', min: 1 }),
  seed: Flags.integer({ description: 'Of all chance; the same seed gives the same figures.', default: 1, min: 0 }),
}

export const faultFlag = Flags.string({
  description: 'What happens to a node: crash@60s:n2, crash@60s:n2:10s (back after), slow@60s:n2:4x, recover@90s:n2. Several allowed.',
  multiple: true,
  helpValue: 'FAULT',
})

export const htmlFlag = Flags.string({ description: 'Write a page with plots into this file.', helpValue: 'FILE' })
