/** Why an engine ended or cannot start, in words that help at night. */
export interface Diagnosis {
  readonly kind:
    | 'out-of-memory'
    | 'port-taken'
    | 'model-missing'
    | 'model-gated'
    | 'no-space'
    | 'no-network'
    | 'driver'
    | 'bad-settings'
    | 'other'
  /** One line. */
  readonly message: string
  /** What to do next. */
  readonly hint: string
}

/** One thing that would stop a launch, found before it. */
export interface PreflightFinding extends Diagnosis {
  /** `error`: the launch would fail. `warning`: it may. */
  readonly severity: 'error' | 'warning'
}
