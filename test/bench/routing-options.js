/** The command line of the routing bench. */
import { parseArgs } from 'node:util'

export const sections = /** @type {const} */ (['table', 'targets', 'faults', 'blind'])

export const usage = `npm run bench:routing -- [options]

  --quick          one seed for all but the unseen workloads, and shorter ones of these: a first look, not a result
  --blind SEED     draws the random workloads by this seed; default: 1
  --default NAME   judges this strategy in place of the default one
  --only A,B       parts: ${sections.join(', ')}
  --json           prints the results as JSON

Exits 1 when a target is missed.
`

/** @typedef {{ quick: boolean, blind: number, contender: string | undefined, only: readonly string[], json: boolean }} Options */

/**
 * @param {readonly string[]} args
 * @returns {Options | undefined} undefined when help was asked for
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      blind: { type: 'string', default: '1' },
      default: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const blind = Number(values.blind)
  if (!Number.isSafeInteger(blind) || blind < 0) throw new Error(`--blind ${values.blind} is not a whole number of 0 or more`)
  const only = values.only?.split(',') ?? [...sections]
  const strange = only.find((name) => !sections.some((known) => known === name))
  if (strange !== undefined) throw new Error(`--only ${strange} is not one of ${sections.join(', ')}`)
  return { quick: values.quick, blind, contender: values.default, only, json: values.json }
}
