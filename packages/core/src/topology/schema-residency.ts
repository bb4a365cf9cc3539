import { Type } from 'typebox'
import { duration, section } from './schema-parts.js'

/** How a pool shares accelerators with others. */
export const residency = section(
  {
    idleUnload: Type.Optional(
      duration('Without requests for so long, its engines go to rest by themselves. Absent: only when another pool wants the place.'),
    ),
    minResident: Type.Optional(
      duration(
        'Once awake, its engines stay so for at least so long, whoever else waits: requests of one model are answered together.',
        '30s',
      ),
    ),
    evictCost: Type.Optional(
      Type.Number({
        description: 'What it costs to put them to rest, against other pools: the cheapest set goes.',
        default: 1,
        minimum: 0,
        maximum: 1_000_000,
        errorMessage: 'a number, at least 0',
      }),
    ),
    wakeWithin: Type.Optional(
      duration('How long a request waits for them to be awake; then it is answered 503 with the reason and Retry-After.', '5m'),
    ),
  },
  {
    description:
      'Its engines share accelerators with those of other pools that say `residency`: they rest (sleep, unload their model, or stop) while another pool has the place, and are woken by requests. Empty: all defaults.',
  },
)
