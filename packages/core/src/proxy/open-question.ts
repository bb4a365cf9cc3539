import type { BeliefView, RosterNode } from '../contracts/index.js'
import type { Admitted } from './admit.js'
import type { Cooldowns } from './cooldowns.js'
import type { Question } from './filters.js'
import type { ProxyContext } from './proxy-context.js'
import type { Resumption } from './resumption.js'

const NONE: readonly RosterNode[] = []

/** What one request asks of nodes, from its first try to its last: one small object, for a long answer holds it in memory. */
export class OpenQuestion implements Question {
  only: string | undefined
  /** In this round. */
  tried = NONE
  resumption: Resumption | undefined
  attempt = 1
  private lot: number | undefined

  constructor(
    readonly request: Admitted,
    private readonly context: Pick<ProxyContext, 'clock' | 'cooldowns' | 'leases' | 'random'>,
  ) {}

  get cooldowns(): Cooldowns {
    return this.context.cooldowns
  }

  get leases(): BeliefView {
    return this.context.leases
  }

  nowMs(): number {
    return this.context.clock.nowMs()
  }

  /** Drawn when it is first needed, which is seldom. */
  luck(): number {
    return (this.lot ??= this.context.random.next())
  }

  /** A list of one has no room to spare; one that was pushed to has room for sixteen more. */
  add(node: RosterNode): void {
    this.tried = this.tried.length === 0 ? [node] : [...this.tried, node]
  }

  /** A new round begins. */
  forgetTried(): void {
    this.tried = NONE
  }
}

/** The same question, of the trusted revision alone. */
export function backOnly(question: Question): Question {
  const { request, only, tried, resumption, cooldowns, leases, attempt } = question
  return {
    request,
    only,
    backOnly: true,
    tried,
    resumption,
    cooldowns,
    leases,
    ...(attempt === undefined ? {} : { attempt }),
    nowMs: () => question.nowMs(),
    luck: () => question.luck(),
  }
}
