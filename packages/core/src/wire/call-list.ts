/** What can stand in a list: it keeps its own place. */
export interface Listed {
  place: number
}

/**
 * The calls that are under way. Not a Set: one whose members come and go all the time is made anew again and again, V8 links each dead table to the
 * next one, and once one of them is old they keep everything alive that ever stood in them until a full collection (a fifth of all garbage, measured).
 */
export class CallList<Member extends Listed> {
  private readonly members: Member[] = []

  get size(): number {
    return this.members.length
  }

  add(member: Member): void {
    member.place = this.members.length
    this.members.push(member)
  }

  /** The last one takes its place. */
  remove(member: Member): void {
    const last = this.members.pop()
    if (last === undefined || last === member) return
    this.members[member.place] = last
    last.place = member.place
  }

  /** A copy: members leave while they are being dealt with. */
  all(): readonly Member[] {
    return [...this.members]
  }
}
