/** What is wrong with a part of a rollout's plan, in words for a person. */
export interface RolloutFault {
  readonly message: string
  readonly expected?: string
  readonly hint?: string
}

/** Names that a proxy of requests may not mean anything by. */
const TAKEN = ['host', 'connection', 'content-length', 'transfer-encoding', 'authorization', 'cookie', 'te', 'upgrade', 'expect']

/** Steps are shares 0..1; `at` is the one that is wrong. */
export function stepsFault(kind: string | undefined, steps: readonly number[]): (RolloutFault & { readonly at?: number }) | undefined {
  const zero = steps.findIndex((share) => !(share > 0 && share <= 1))
  if (zero >= 0) return { at: zero, message: 'a step gives no traffic', expected: 'more than 0%, at most 100%' }
  if ((kind === 'split' || kind === 'shadow') && steps.length > 1)
    return { message: `${kind} has one step`, expected: 'one share such as [20%]' }
  const falls = steps.findIndex((share, index) => index > 0 && share <= (steps[index - 1] ?? 0))
  if (falls > 0)
    return { at: falls, message: 'each step gives more traffic than the one before', expected: 'growing shares such as [5%, 25%, 100%]' }
  if (kind === 'split' || kind === 'shadow' || steps.at(-1) === 1) return undefined
  return {
    at: steps.length - 1,
    message: 'the last step is less than all traffic: the rollout would never end',
    expected: '100%',
    hint: 'kind: split keeps lasting shares',
  }
}

export function headerFault(name: string): RolloutFault | undefined {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(name))
    return { message: 'this is no name of a header', expected: 'letters, digits and hyphens, such as x-canary' }
  if (!TAKEN.includes(name.toLowerCase())) return undefined
  return { message: `the header \`${name}\` has a meaning of its own`, expected: 'a header of your own such as x-canary' }
}

/** Secrets never stand in the file, so not in a URL either. */
export function urlFault(text: string): RolloutFault | undefined {
  const filled = text.replaceAll('{revision}', 'r1')
  const url = URL.canParse(filled) ? new URL(filled) : undefined
  const expected = 'a URL such as https://hooks.example/rollouts'
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return { message: 'this is no URL of http or https', expected }
  if (url.username !== '' || url.password !== '') return { message: 'a URL with a password in it would stand in the file', expected }
  return undefined
}
