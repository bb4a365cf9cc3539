/** As the gateway expects an answer's length before it has seen any. */
const FIRST_OUTPUT_TOKENS = 128
/** Weight of one more answer. */
const LEARNING = 0.05

/** How long answers will be: a moving average for each tenant, begun from that of all tenants. Never the truth of the workload. */
export class OutputEstimates {
  private all = FIRST_OUTPUT_TOKENS
  private readonly tenants = new Map<string, number>()

  of(tenant: string | undefined): number {
    return Math.round((tenant === undefined ? undefined : this.tenants.get(tenant)) ?? this.all)
  }

  learn(tenant: string | undefined, outputTokens: number): void {
    if (tenant !== undefined) {
      const before = this.tenants.get(tenant) ?? this.all
      this.tenants.set(tenant, before + LEARNING * (outputTokens - before))
    }
    this.all += LEARNING * (outputTokens - this.all)
  }
}
