import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../contracts/index.js'
import { SlowLearner } from './learn-slowly.js'
import { RevisionStore } from './revision-store.js'
import type { StoredRevision } from './stored-revision.js'
import { contentHashOf, contentOf, launchHashOf, relaunchOf } from './weights.js'
import { attachedGroup, contextOf, groupOf, poolOf } from './weights.test.fixture.js'

const group = groupOf()
const pool = poolOf(group)

function storedOf(more: Partial<StoredRevision> = {}): StoredRevision {
  const rest = { contentHash: null, launchHash: null, firstSeenAtMs: 1, outcome: null }
  return { revision: 'r1', pool: 'chat', group: 'gpu', plan: group, hash: 'aaaaaaaa', content: 'commit:one', ...rest, ...more }
}

describe('the content of weights', () => {
  it('is what the engine’s plugin tells, of this node', async () => {
    const context = contextOf(({ weights, url }) => ({ content: () => Promise.resolve(`of:${weights ?? 'none'}@${url}`) }))
    expect(await contentOf(pool, group, context)).toBe('of:weights@http://127.0.0.1:1')
    expect(await contentOf(pool, attachedGroup(), context)).toBe('of:none@http://127.0.0.1:9')
  })

  it.each<[string, () => Promise<string | undefined>]>([
    ['does not know', () => Promise.resolve(undefined)],
    ['fails', () => Promise.reject(new Error('no'))],
    ['tells no text', () => Promise.resolve(7 as never)],
    ['tells nothing', () => Promise.resolve('')],
  ])('is unknown where the plugin %s', async (_what, content) => {
    expect(
      await contentOf(
        pool,
        group,
        contextOf(() => ({ content })),
      ),
    ).toBeNull()
    expect(
      await contentHashOf(
        pool,
        group,
        contextOf(() => ({ contentHash: content })),
        new AbortController().signal,
      ),
    ).toBeNull()
  })

  it('is unknown where the plugin cannot tell, or the files are another machine’s', async () => {
    expect(
      await contentOf(
        pool,
        group,
        contextOf(() => ({})),
      ),
    ).toBeNull()
    const context = contextOf(() => ({ content: () => Promise.resolve('commit:here') }))
    expect(await contentOf(pool, { ...group, host: { name: 'far', ssh: { host: 'far' } } }, context)).toBeNull()
    expect(await contentOf(pool, { ...group, engine: 'gone' }, context)).toBeNull()
  })

  it('is not waited for without end', async () => {
    let signal: AbortSignal | undefined
    const context = contextOf(() => ({ content: (given) => ((signal = given), new Promise(() => undefined)) }))
    const asked = contentOf(pool, group, context)
    context.clock.advance(6_000)
    expect(await asked).toBeNull()
    expect(signal?.aborted).toBe(true)
  })
})

describe('the hash of a launch', () => {
  it('is over arguments and environment, whatever the node is called, and not over the shell', async () => {
    const context = contextOf(() => ({}))
    const hash = await launchHashOf(pool, group, context)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(
      await launchHashOf(pool, { ...group, name: 'gpu-r4', revision: 'r4' }, { ...context, env: { ...context.env, SHELL_SECRET: 'y' } }),
    ).toBe(hash)
    expect(await launchHashOf(pool, groupOf({ model: 'other' }), context)).not.toBe(hash)
    expect(await launchHashOf(pool, groupOf({ env: { A: '1' } }), context)).not.toBe(hash)
    expect(await launchHashOf(pool, attachedGroup(), context)).toBeNull()
    expect(await launchHashOf(pool, groupOf({ env: { A: { env: 'NOT_SET' } } }), context)).toBeNull()
  })
})

describe('a revision that comes back', () => {
  const named =
    (contents: Readonly<Record<string, string | undefined>>) =>
    ({ weights, model }: { weights?: string; model?: string }) => ({
      content: () => Promise.resolve(contents[weights ?? model ?? '']),
    })

  it('is its very plan while its name means the same weights, or nobody can tell', async () => {
    const same = contextOf(named({ weights: 'commit:one' }))
    expect(await relaunchOf(storedOf(), pool, same)).toEqual({ group, note: null })
    expect((await relaunchOf(storedOf(), pool, same)).group).toBe(group)
    expect((await relaunchOf(storedOf({ content: null }), pool, contextOf(named({ weights: 'commit:two' })))).group).toBe(group)
    expect(
      (
        await relaunchOf(
          storedOf(),
          pool,
          contextOf(() => ({})),
        )
      ).group,
    ).toBe(group)
  })

  it('is refused where its name means others', async () => {
    await expect(relaunchOf(storedOf(), pool, contextOf(named({ weights: 'commit:two' })))).rejects.toMatchObject({
      code: 'LB_MODEL_MOVED',
      httpStatus: 409,
      message: 'weights is no longer what r1 launched: it was commit:one, and is commit:two',
      hint: expect.stringContaining('lb rollout start chat'),
    })
  })

  it('is refused where all bytes were counted and are others now', async () => {
    const context = contextOf(() => ({ content: () => Promise.resolve('commit:one'), contentHash: () => Promise.resolve('sha256:b') }))
    await expect(relaunchOf(storedOf({ contentHash: 'sha256:a' }), pool, context)).rejects.toMatchObject({ code: 'LB_MODEL_MOVED' })
    expect((await relaunchOf(storedOf({ contentHash: 'sha256:b' }), pool, context)).group).toBe(group)
  })

  it('is not kept waiting by a count that takes long', async () => {
    const contentHash = (signal: AbortSignal) =>
      new Promise<string>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('enough'))))
    const context = contextOf(() => ({ content: () => Promise.resolve('commit:one'), contentHash }))
    const asked = relaunchOf(storedOf({ contentHash: 'sha256:a' }), pool, context)
    for (let turns = 0; turns < 20; turns++) await turn()
    context.clock.advance(2_000)
    expect((await asked).group).toBe(group)
  })

  it('is launched by its content where the engine can be held to it', async () => {
    const contents = named({ weights: 'commit:two', kept: 'commit:one' })
    const context = contextOf((spec) => ({ ...contents(spec), pin: (content) => ({ weights: 'kept', settings: { revision: content } }) }))
    const { group: pinned, note } = await relaunchOf(storedOf(), pool, context)
    expect(pinned).toEqual(groupOf({ model: 'kept', settings: { revision: 'commit:one' } }))
    expect(note).toContain('weights has moved since r1')
  })

  it('is asked for by another name at a server that is attached', async () => {
    const context = contextOf((spec) => ({
      ...named({ llama: 'commit:two', kept: 'commit:one' })(spec),
      pin: () => ({ weights: 'x', model: 'kept' }),
    }))
    const stored = storedOf({ plan: attachedGroup('llama') })
    expect((await relaunchOf(stored, pool, context)).group).toEqual(attachedGroup('kept'))
  })

  it('is refused where what is kept is not what it was', async () => {
    const context = contextOf((spec) => ({
      ...named({ weights: 'commit:two', kept: 'commit:three' })(spec),
      pin: () => ({ weights: 'kept' }),
    }))
    await expect(relaunchOf(storedOf(), pool, context)).rejects.toMatchObject({ code: 'LB_MODEL_MOVED' })
    const broken = contextOf((spec) => ({
      ...named({ weights: 'commit:two' })(spec),
      pin: () => {
        throw new Error('no')
      },
    }))
    await expect(relaunchOf(storedOf(), pool, broken)).rejects.toMatchObject({ code: 'LB_MODEL_MOVED' })
  })

  it('fetches by its content what is not here any more', async () => {
    const context = contextOf(() => ({ content: () => Promise.resolve(undefined), pin: () => ({ settings: { revision: 'one' } }) }))
    expect((await relaunchOf(storedOf(), pool, context)).group).toEqual(groupOf({ settings: { revision: 'one' } }))
  })
})

describe('a revision on another machine', () => {
  it('says why nobody can tell its content, until somebody can', async () => {
    const far = groupOf({}, { host: { name: 'far', ssh: { host: 'far' } } })
    const store = new RevisionStore({ stateDir: undefined, log: silentLogger, nowMs: () => 1, running: () => [] })
    const learner = new SlowLearner({ store, weights: contextOf(() => ({})), pool: () => poolOf(far) })
    store.note('chat', far, null)
    learner.learn('chat', 'r1')
    for (let turns = 0; turns < 50; turns++) await turn()
    expect(store.entries('chat')).toMatchObject([{ content: null, contentUnknown: 'its engine does not say where it looks for them' }])
    store.learn('chat', 'r1', { content: 'commit:one' })
    expect(store.entries('chat')[0]).not.toHaveProperty('contentUnknown')
  })
})

describe('what takes longer to learn', () => {
  it('is learned one revision after the other, once, and not after the end', async () => {
    let running = 0
    let most = 0
    let counts = 0
    const context = contextOf(() => ({
      content: () => Promise.resolve('commit:late'),
      async contentHash() {
        counts += 1
        most = Math.max(most, (running += 1))
        await turn()
        running -= 1
        return `sha256:${counts}`
      },
    }))
    const store = new RevisionStore({ stateDir: undefined, log: silentLogger, nowMs: () => 1, running: () => [] })
    const learner = new SlowLearner({ store, weights: context, pool: () => pool })
    for (const model of ['a', 'b', 'c']) store.note('chat', groupOf({ model }), model === 'b' ? null : `commit:${model}`)
    for (const revision of ['r1', 'r2', 'r2', 'r9']) learner.learn('chat', revision)
    for (let turns = 0; turns < 100; turns++) await turn()
    learner.learn('chat', 'r1')
    for (let turns = 0; turns < 100; turns++) await turn()
    expect(store.of('chat')).toEqual([
      expect.objectContaining({ revision: 'r3', contentHash: null, launchHash: null }),
      expect.objectContaining({
        revision: 'r2',
        content: 'commit:late',
        contentHash: 'sha256:2',
        launchHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
      expect.objectContaining({
        revision: 'r1',
        content: 'commit:a',
        contentHash: 'sha256:1',
        launchHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    ])
    expect([counts, most]).toEqual([2, 1])
    learner.stop()
    learner.learn('chat', 'r3')
    for (let turns = 0; turns < 50; turns++) await turn()
    expect(counts).toBe(2)
  })
})
