/** The command line of the bench. */
import { parseArgs } from 'node:util'
import { proxies } from './proxies.js'
import { units } from './units.js'

export const usage = `npm run bench -- [options]

  --quick          3 short rounds instead of 9: a first look, not a result
  --rounds N       rounds of each unit
  --seconds S      length of one round
  --ahead          goes before everything else on this machine (nice -15): where others work too, as root
  --node-flags F   flags of Node.js for our own processes; default: those with which lb starts its balancer
  --only A,B       proxies: ${proxies.map(({ name }) => name).join(', ')}
  --unit A,B       units: ${units.map(({ name }) => name).join(', ')}
`

/** @typedef {{ rounds: number, seconds: number, ahead: boolean, nodeFlags: readonly string[], proxies: readonly string[], units: readonly string[] }} Options */

/**
 * @param {readonly string[]} args
 * @returns {Options | undefined} undefined when help was asked for
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      ahead: { type: 'boolean', default: false },
      'node-flags': {
        type: 'string',
        default: '--min-semi-space-size=16 --max-semi-space-size=16 --no-allocation-site-pretenuring --no-parallel-scavenge',
      },
      only: { type: 'string' },
      unit: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    rounds: positive('--rounds', values.rounds ?? (values.quick ? '3' : '9')),
    seconds: positive('--seconds', values.seconds ?? (values.quick ? '1' : '2')),
    ahead: values.ahead,
    nodeFlags: values['node-flags'].split(' ').filter(Boolean),
    proxies: namesIn('--only', values.only, proxies),
    units: namesIn('--unit', values.unit, units),
  }
}

/**
 * @param {string} flag
 * @param {string} text
 */
function positive(flag, text) {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${flag} ${text} is not a number over 0`)
  return value
}

/**
 * @param {string} flag
 * @param {string | undefined} list
 * @param {readonly { name: string }[]} known
 */
function namesIn(flag, list, known) {
  const names = known.map(({ name }) => name)
  const wanted = list?.split(',') ?? names
  const strange = wanted.find((name) => !names.includes(name))
  if (strange !== undefined) throw new Error(`${flag} ${strange} is not one of ${names.join(', ')}`)
  return names.filter((name) => wanted.includes(name))
}
