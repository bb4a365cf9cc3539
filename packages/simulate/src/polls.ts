/** Each node is asked once in an interval, one after another at even distances. */
export class Polls {
  private done = 0

  constructor(
    private readonly nodes: number,
    /** 0 = never. */
    private readonly intervalMs: number,
    private readonly ask: (node: number) => void,
  ) {
    // The balancer knew its nodes before the first request came.
    for (let node = 0; node < nodes; node++) ask(node)
  }

  get nextMs(): number {
    return this.intervalMs === 0 ? Infinity : ((this.done + 1) * this.intervalMs) / this.nodes
  }

  act(): void {
    const node = this.done % this.nodes
    this.done++
    this.ask(node)
  }
}
