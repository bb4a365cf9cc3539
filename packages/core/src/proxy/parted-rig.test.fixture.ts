import type { Socket } from 'node:net'
import { expect } from 'vitest'
import type { RosterNode } from '../contracts/index.js'
import type { SplitPlan } from '../topology/index.js'
import { chunk, delta, done, lastChunk, plainAnswer, Rig, role, streamHead, usage, type Script } from './scripted-gateway.test.fixture.js'

export const answer = (content: string): string =>
  plainAnswer(200, { choices: [{ index: 0, message: { content }, finish_reason: 'stop' }] })
export const stream = (...events: string[]): string => streamHead + chunk(events.join('')) + lastChunk
export const saying =
  (text: string): Script =>
  (socket) =>
    void socket.write(text)
export const oops = plainAnswer(500, { error: 'oops' })

/** Answers `old`, whatever is asked for. */
export const good = (socket: Socket, request: string): void =>
  void socket.write(request.includes('"stream":true') ? stream(role, delta('old'), usage, done) : answer('old'))

/** `share`: of r2, which is tried out. */
export const sides = (share: number, more: Partial<SplitPlan> = {}): SplitPlan => ({
  sides: [
    { revision: 'r1', share: 1 - share },
    { revision: 'r2', share },
  ],
  sticky: false,
  watch: true,
  ...more,
})

/** A pool in the middle of a rollout from r1 to r2: all requests belong to r2. */
export class PartedRig extends Rig {
  constructor() {
    super('listen')
    this.split = sides(1)
  }

  old(script: Script = good, more: Partial<RosterNode> = {}): Promise<void> {
    return this.engine(script, { revision: 'r1', ...more })
  }

  fresh(script: Script | string, more: Partial<RosterNode> = {}): Promise<void> {
    return this.engine(typeof script === 'string' ? saying(script) : script, { revision: 'r2', ...more })
  }

  /** One node of each revision, p/n0 of r1 and p/n1 of r2. */
  async both(canary: Script | string, more: Partial<RosterNode> = {}): Promise<void> {
    await this.old(good, more)
    await this.fresh(canary, more)
    await this.open()
  }

  /** Both revisions load the same. */
  sameWeights(): void {
    this.weights = new Map([
      ['r1', 'a'],
      ['r2', 'a'],
    ])
  }

  /** Of the last request that has ended. */
  tries(): readonly string[] | undefined {
    return this.records.at(-1)?.attempts.map(({ node, outcome }) => `${node} ${outcome}`)
  }

  waiting(): number {
    return this.proxy?.inLine().get('p') ?? 0
  }
}

/** The same without a budget for tries in vain: requests that the new revision has failed wait in line for the old one. */
export class WaitingRig extends PartedRig {
  override retries = 0
  override retryRules: PartedRig['retryRules'] = {
    waitMs: 5_000,
    loadingMs: 5_000,
    pause: { firstMs: 5, longestMs: 10 },
    budget: { share: 0, floor: 0 },
  }

  /** Resolves when so many stand in line. */
  async waits(count = 1): Promise<void> {
    await expect.poll(() => this.waiting()).toBe(count)
  }

  askedAt(node: number): number {
    return this.requests[node]?.length ?? 0
  }

  /** The rollout was taken back: a node of the old revision is there, and nobody else. */
  async takenBack(script?: Script, more?: Partial<RosterNode>): Promise<void> {
    await this.old(script, more)
    this.nodes.shift()
    this.split = undefined
    this.proxy?.nodesChanged()
  }

  override async end(): Promise<void> {
    await this.waits(0)
    await super.end()
  }
}
