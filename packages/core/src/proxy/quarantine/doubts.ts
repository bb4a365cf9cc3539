/** Bodies of which one must have ended two nodes, and nobody knows which. */
interface Doubt {
  readonly members: Set<string>
  /** The likeliest: it took the same time both times. The others prove their innocence first. */
  readonly prime: string
}

/** What two crashes leave open: each of several bodies was there both times. Whoever is answered elsewhere is out; the last one left was it. */
export class Doubts {
  private readonly doubts = new Set<Doubt>()

  begin(members: readonly string[], prime: string): void {
    for (const member of members) this.end(member)
    this.doubts.add({ members: new Set(members), prime })
  }

  has(fingerprint: string): boolean {
    return this.of(fingerprint) !== undefined
  }

  /** Others must be tried before it. */
  isLast(fingerprint: string): boolean {
    return this.of(fingerprint)?.prime === fingerprint
  }

  /** It was not this one. Returns the one that is left alone by that, and so was it. */
  clear(fingerprint: string): string | undefined {
    const doubt = this.of(fingerprint)
    if (doubt === undefined) return undefined
    doubt.members.delete(fingerprint)
    if (doubt.members.size > 1) return undefined
    this.doubts.delete(doubt)
    return [...doubt.members][0]
  }

  /** There is no more doubt of this one and those beside it. */
  end(fingerprint: string): void {
    const doubt = this.of(fingerprint)
    if (doubt !== undefined) this.doubts.delete(doubt)
  }

  private of(fingerprint: string): Doubt | undefined {
    for (const doubt of this.doubts) if (doubt.members.has(fingerprint)) return doubt
    return undefined
  }
}
