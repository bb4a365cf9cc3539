/** Memory that an engine would find where it is to run. */
export interface MemoryRoom {
  /** Accelerators, or the main memory of a machine that has none to give. */
  readonly kind: 'gpus' | 'main'
  /** Free on each accelerator that it may have, the largest first; one entry for main memory. */
  readonly freeMiB: readonly number[]
  /** How many of them it would get as the topology stands. */
  readonly count: number
}

/** One change of the topology with which a model that does not fit would. */
export interface FitOption {
  /** What to set under `launch.args`; empty where no setting does it. */
  readonly args: Readonly<Record<string, string | number | boolean>>
  /** In words, where no setting does it: `a file of 4 bit per weight`. */
  readonly change?: string
  /** How many accelerators it would then be spread over evenly; 1 for main memory. */
  readonly count: number
  /** Of all of them together: what the backend would say of its memory with these settings, or an estimate where `change` says it. */
  readonly mib: number
  /** One line: what it costs to do so. */
  readonly why: string
}
