/** So many failures one after the other, and no good answer between them: that is what a revision does now. */
const EVIDENT = 8

/** Requests of one pool at a revision that is tried out, while nobody trusted is there: who fails there comes back to the pool's line. */
export class Outings {
  /** Places in line that are kept for them. */
  kept = 0
  /** Of the last of them, how many failed. */
  failed = 0

  get allFail(): boolean {
    return this.failed >= EVIDENT
  }
}
