import { describe, expect, it } from 'vitest'
import type { Backend, PullProgress } from '../../contracts/index.js'
import { fetchWeights, type FetchOptions, type WantedWeights } from './fetch-weights.js'
import { attachedGroup, contextOf, groupOf, poolOf, type Script } from './weights.test.fixture.js'

const group = groupOf({ env: { HF_HOME: '/cache' } })
const pool = poolOf(group)
const running = (pull: NonNullable<NonNullable<Backend['models']>['pull']>) => ({ models: { pull } }) as unknown as Backend

async function fetched(script: Script, more: Partial<FetchOptions> = {}, of = group) {
  const told: PullProgress[] = []
  const options = { signal: new AbortController().signal, onProgress: (progress: PullProgress) => void told.push(progress), ...more }
  return { how: await fetchWeights(pool, of, contextOf(script), options), told }
}

/** Weights that are missing until somebody brings them. */
function missing(): { readonly script: Script; readonly bring: () => void } {
  let isHere = false
  return { script: () => ({ toFetch: () => Promise.resolve(isHere ? undefined : 'org/name') }), bring: () => (isHere = true) }
}

describe('weights of a launch', () => {
  it('are here where the plugin misses nothing, knows nothing, or fails', async () => {
    const scripts: Script[] = [
      () => ({}),
      () => ({ toFetch: () => Promise.resolve(undefined) }),
      () => ({ toFetch: () => Promise.reject(new Error('no')) }),
    ]
    for (const script of scripts) expect((await fetched(script)).how).toBe('here')
  })

  it('are refused before anything is drained for them, with the command that brings them', async () => {
    await expect(fetched(missing().script)).rejects.toMatchObject({
      code: 'LB_WEIGHTS_MISSING',
      httpStatus: 422,
      hint: 'lb models pull org/name --pool chat',
    })
    await expect(fetched(missing().script, { fetcher: () => Promise.resolve(false) })).rejects.toMatchObject({ code: 'LB_WEIGHTS_MISSING' })
  })

  it('are pulled by a server of their kind that runs, with progress', async () => {
    const { script, bring } = missing()
    const old = running((model, { onProgress }) => {
      onProgress({ step: model, doneBytes: 1, totalBytes: 2 })
      bring()
      return Promise.resolve({})
    })
    expect(await fetched(script, { running: old })).toEqual({ how: 'fetched', told: [{ step: 'org/name', doneBytes: 1, totalBytes: 2 }] })
  })

  it('are fetched from a hub into the cache of their environment', async () => {
    const { script, bring } = missing()
    let wanted: WantedWeights | undefined
    const fetcher: NonNullable<FetchOptions['fetcher']> = (given) => ((wanted = given), bring(), Promise.resolve(true))
    expect((await fetched(script, { fetcher })).how).toBe('fetched')
    expect(wanted).toMatchObject({ model: 'org/name', group: { name: 'gpu' }, env: { HF_HOME: '/cache' } })
  })

  it('that came to lie elsewhere are the engine’s to find, and that is said', async () => {
    const { how, told } = await fetched(missing().script, { fetcher: () => Promise.resolve(true) })
    expect(how).toBe('fetched')
    expect(told).toEqual([{ step: 'org/name was fetched, and is not where its engine is known to look: it may fetch it again' }])
  })

  it('are refused with what the plugin finds before a launch, and warnings are none', async () => {
    const finding = { message: 'x is gated', hint: 'send a token' }
    const script =
      (severity: 'error' | 'warning', kind: 'model-gated' | 'model-missing'): Script =>
      () => ({
        preflight: () => Promise.resolve([{ severity, kind, ...finding }]),
      })
    await expect(fetched(script('error', 'model-gated'))).rejects.toMatchObject({ code: 'LB_LAUNCH_REFUSED', ...finding })
    await expect(fetched(script('error', 'model-missing'))).rejects.toMatchObject({ code: 'LB_WEIGHTS_MISSING', ...finding })
    expect((await fetched(script('warning', 'model-missing'))).how).toBe('here')
  })
})

describe('weights of a launch on another machine', () => {
  const far = {
    ...groupOf({ model: 'org/name', env: { HF_HOME: '/data', HF_TOKEN: { env: 'T' } } }),
    host: { name: 'box', ssh: { host: 'box' } },
  }
  const able: Script = () => ({ toFetch: () => Promise.reject(new Error('must not look here')) })

  it('are fetched there, where a hub has them', async () => {
    const wanted: WantedWeights[] = []
    const fetcher: NonNullable<FetchOptions['fetcher']> = (given) => (wanted.push(given), Promise.resolve(true))
    expect((await fetched(able, { fetcher }, far)).how).toBe('fetched')
    expect(wanted).toMatchObject([{ model: 'org/name', env: { HF_HOME: '/data' } }])
    expect(wanted[0]?.env).not.toHaveProperty('HF_TOKEN')
    expect((await fetched(() => ({}), { fetcher }, far)).how).toBe('here')
    expect(wanted).toHaveLength(1)
  })

  it('that cannot be fetched from here may be there all the same', async () => {
    const { how, told } = await fetched(able, { fetcher: () => Promise.reject(new Error('there is no `hf` there')) }, far)
    expect(how).toBe('here')
    expect(told).toEqual([{ step: 'there is no `hf` there; the engine over there may have it, or fetches it itself' }])
    const abort = AbortSignal.abort(new Error('enough'))
    await expect(fetched(able, { fetcher: () => Promise.reject(new Error('no')), signal: abort }, far)).rejects.toThrow('enough')
  })
})

describe('a model of a server that is attached', () => {
  const server =
    (content: Backend['content'], pulled: string[]): Script =>
    () => ({
      ...(content === undefined ? {} : { content }),
      models: { pull: (model) => (pulled.push(model), Promise.resolve({})) },
    })

  it('is pulled where the server lacks it, and only there', async () => {
    const pulled: string[] = []
    expect(
      (
        await fetched(
          server(() => Promise.resolve('sha256:1'), pulled),
          {},
          attachedGroup('llama'),
        )
      ).how,
    ).toBe('here')
    expect(
      (
        await fetched(
          server(() => Promise.reject(new Error('down')), pulled),
          {},
          attachedGroup('llama'),
        )
      ).how,
    ).toBe('here')
    expect(
      (
        await fetched(
          server(() => Promise.resolve('sha256:1'), pulled),
          {},
          attachedGroup(),
        )
      ).how,
    ).toBe('here')
    expect(pulled).toEqual([])
    expect(
      (
        await fetched(
          server(() => Promise.resolve(undefined), pulled),
          {},
          attachedGroup('llama'),
        )
      ).how,
    ).toBe('fetched')
    expect(pulled).toEqual(['llama'])
  })

  it('tells what a pull failed by', async () => {
    const failing: Script = () => ({
      content: () => Promise.resolve(undefined),
      models: { pull: () => Promise.reject(new Error('disk full')) },
    })
    await expect(fetched(failing, {}, attachedGroup('llama'))).rejects.toMatchObject({
      code: 'LB_PULL_FAILED',
      message: 'llama cannot be fetched: disk full',
    })
  })
})
