import { preflight, systemClock, type Backend, type LaunchPlan } from '@plimsoll/core'
import type { PlannedFinding } from '../views/plan-text.js'

/** What a check must know of a node. */
interface PlannedCheck {
  readonly id: string
  readonly engine: string
  readonly replica: number
  readonly isOwnCommandLine: boolean
}

/** Collects the checks of a plan, and runs them all at once: each may take seconds. */
export class PlanChecks {
  private readonly checks: (() => Promise<readonly PlannedFinding[]>)[] = []

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Replicas are alike: the first one's check speaks for all. */
  add(node: PlannedCheck, backend: Backend, plan: LaunchPlan): void {
    if (node.replica > 0) return
    const path = plan.env['PATH'] ?? this.env['PATH']
    this.checks.push(async () => {
      const { engine, isOwnCommandLine } = node
      const found = await preflight({ backend, engine, command: plan.command, path, isOwnCommandLine, clock: systemClock })
      return found.map((each) => ({ node: node.id, ...each }))
    })
  }

  async run(): Promise<readonly PlannedFinding[]> {
    // The clock of core keeps no process alive.
    const awake = setInterval(() => undefined, 1_000)
    try {
      return (await Promise.all(this.checks.map((check) => check()))).flat()
    } finally {
      clearInterval(awake)
    }
  }
}
