/** What `lb` leaves with; docs/reference/exit-codes.md says it to people. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongInput: 2,
  rolledBack: 3,
  aborted: 4,
  notRunning: 5,
  interrupted: 130,
  /** What the shell says of a program that wrote to a pipe which nobody reads any more. */
  unread: 141,
} as const

const byErrorCode: Readonly<Record<string, number>> = {
  LB_WRONG_INPUT: exitCodes.wrongInput,
  LB_TOPOLOGY_INVALID: exitCodes.wrongInput,
  LB_TOPOLOGY_NOT_FOUND: exitCodes.wrongInput,
  LB_TOPOLOGY_UNREADABLE: exitCodes.wrongInput,
  LB_SECRET_MISSING: exitCodes.wrongInput,
  LB_SEVERAL_RUNNING: exitCodes.wrongInput,
  LB_BAD_TRACE: exitCodes.wrongInput,
  LB_SIMULATION_OPTIONS: exitCodes.wrongInput,
  LB_TUNE_TOO_SHORT: exitCodes.wrongInput,
  LB_TUNE_NOTHING: exitCodes.wrongInput,
  LB_UNKNOWN_COMMAND: exitCodes.wrongInput,
  LB_UNKNOWN_NODE: exitCodes.wrongInput,
  LB_NODE_UNKNOWN: exitCodes.wrongInput,
  LB_UNKNOWN_POOL: exitCodes.wrongInput,
  LB_UNKNOWN_GROUP: exitCodes.wrongInput,
  LB_NO_REVISION: exitCodes.wrongInput,
  LB_BAD_CONTROL_REQUEST: exitCodes.wrongInput,
  LB_NOT_RUNNING: exitCodes.notRunning,
  LB_ABORTED: exitCodes.aborted,
  LB_INTERRUPTED: exitCodes.interrupted,
}

/** Exit code of an LbError's code; whatever is not listed failed. */
export function exitCodeOf(errorCode: string): number {
  return byErrorCode[errorCode] ?? exitCodes.failed
}

const byPhase: Readonly<Record<string, number>> = {
  promoted: exitCodes.done,
  'rolled-back': exitCodes.rolledBack,
  aborted: exitCodes.aborted,
  failed: exitCodes.failed,
}

/** Exit code of a rollout's end; undefined while it runs. */
export function exitCodeOfPhase(phase: string): number | undefined {
  return byPhase[phase]
}
