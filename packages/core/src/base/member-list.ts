/** What can stand in a list: it keeps its own place. */
export interface Listed {
  place: number
}

/**
 * Members that come and go all the time. Not a Set, nor a Map: one of those is made anew again and again then, V8 links each dead table to the next one, and once
 * one of them is old they keep everything alive that ever stood in them until a full collection (a fifth of all garbage, measured).
 */
export class MemberList<Member extends Listed> {
  private readonly members: Member[] = []

  get size(): number {
    return this.members.length
  }

  add(member: Member): void {
    member.place = this.members.length
    this.members.push(member)
  }

  /** The last one takes its place. False: it did not stand here. */
  remove(member: Member): boolean {
    if (this.members[member.place] !== member) return false
    const last = this.members.pop()
    if (last === undefined || last === member) return true
    this.members[member.place] = last
    last.place = member.place
    return true
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.members[Symbol.iterator]()
  }

  /** A copy: members leave while they are being dealt with. */
  all(): readonly Member[] {
    return [...this.members]
  }
}
