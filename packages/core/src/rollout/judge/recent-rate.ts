/** After so many requests one counts a third of what it did. */
const memory = 1_000

/** How often something happened of late: what fails from an hour on must not hide behind the hour before. */
export class RecentRate {
  hits = 0
  of = 0

  add(hit: boolean): void {
    const stays = 1 - 1 / memory
    this.hits = this.hits * stays + (hit ? 1 : 0)
    this.of = this.of * stays + 1
  }

  kept(): { readonly hits: number; readonly of: number } {
    return { hits: this.hits, of: this.of }
  }

  takeUp({ hits, of }: { readonly hits: number; readonly of: number }): void {
    this.hits = hits
    this.of = of
  }
}
