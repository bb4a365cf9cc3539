import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseGolden, readGoldenFile } from './golden-file.js'
import type { GoldenAsker, GoldenPrompt } from './golden-prompt.js'
import { runGolden } from './golden-run.js'

const asker = (answer: (prompt: GoldenPrompt) => string, more: Partial<GoldenAsker> = {}): GoldenAsker => ({
  ask: (prompt) => Promise.resolve(answer(prompt)),
  embed: () => Promise.reject(new Error('no pool embeds')),
  askPool: () => Promise.reject(new Error('no pool judges')),
  ...more,
})

const capital = '- prompt: What is the capital of France?\n  mustMatch: /paris/i\n'

async function outcomeOf(text: string, answer: string, more: Partial<GoldenAsker> = {}): Promise<string | null> {
  return (
    await runGolden(
      await parseGolden(text, 'golden.yaml'),
      asker(() => answer, more),
    )
  ).firstFailure
}

describe('a golden file', () => {
  it('is read from the disk, with the place of each prompt', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'lb-golden-')), 'golden.yaml')
    await writeFile(
      file,
      `# capitals\n${capital}\n- name: sum\n  messages: [{ role: user, content: 1 + 1 }]\n  mustMatch: ['2']\n  maxTokens: 8\n`,
    )
    expect(await readGoldenFile(file)).toMatchObject([{ place: `${file}:2` }, { place: `${file}:5`, name: 'sum', maxTokens: 8 }])
  })

  it('that is not there is told with its path', async () => {
    await expect(readGoldenFile('/nowhere/golden.yaml')).rejects.toMatchObject({
      code: 'LB_GOLDEN_INVALID',
      message: expect.stringContaining('/nowhere/golden.yaml'),
    })
  })

  it('that has become a folder, or huge, is refused before it is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lb-golden-'))
    await expect(readGoldenFile(folder)).rejects.toMatchObject({ code: 'LB_GOLDEN_INVALID', message: `${folder} is not a file` })
    const file = join(folder, 'golden.yaml')
    await writeFile(file, '#'.repeat(1_048_577))
    await expect(readGoldenFile(file)).rejects.toMatchObject({ message: `${file} is larger than 1 MiB` })
  })

  it.each([
    ['', 'golden.yaml:1: expected a list of prompts'],
    ['prompts: []', 'golden.yaml:1: expected a list of prompts'],
    ['- prompt: [a', 'golden.yaml:1: not valid YAML'],
    [`${capital}- prompt: x\n`, 'golden.yaml:3: it says nothing about the answer'],
    [`${capital}- mustMatch: x\n`, 'golden.yaml:3: exactly one of `prompt` and `messages`'],
    [`${capital}  mustmatch: x\n`, 'golden.yaml:3: `mustmatch` is no key here'],
    [`- prompt: x\n  mustMatch: '(a'\n`, 'golden.yaml:2: `mustMatch` is a regular expression: Invalid'],
    [`- prompt: x\n  mustMatch: []\n`, 'golden.yaml:2: `mustMatch` is a regular expression, or a list'],
    [`- prompt: x\n  maxTokens: -1\n  mustMatch: y\n`, 'golden.yaml:2: `maxTokens` is a whole number'],
    [`- prompt: x\n  similarity: { to: y, pool: embed }\n`, 'golden.yaml:2: `similarity` needs `atLeast`'],
    [`- prompt: x\n  judge: { pool: p, question: '' }\n`, 'golden.yaml:2: `question` is a text that is not empty'],
    [`- prompt: x\n  messages: [hello]\n  mustMatch: y\n`, 'golden.yaml:2: `messages` is a list of messages'],
    ['- 7', 'golden.yaml:1: expected a map'],
  ])('%j is told with its line', async (text, message) => {
    await expect(parseGolden(text, 'golden.yaml')).rejects.toMatchObject({
      code: 'LB_GOLDEN_INVALID',
      message: expect.stringContaining(message),
    })
  })

  it('tells all its mistakes at once', async () => {
    const { message } = await parseGolden('- prompt: x\n- mustMatch: y\n', 'g').then(
      () => ({ message: '' }),
      (error: Error) => error,
    )
    expect(message.split('\n')).toHaveLength(2)
  })
})

describe('golden prompts', () => {
  it('pass where the answer is as it must be, and tell where it is not, without its text', async () => {
    expect(await outcomeOf(capital, 'It is Paris.')).toBeNull()
    expect(await outcomeOf(capital, 'It is Rome.')).toBe('golden.yaml:1: the answer (11 characters) does not match /paris/i')
    expect(await outcomeOf('- { name: polite, prompt: x, mustNotMatch: damn }', 'damn it')).toBe(
      'polite (golden.yaml:1): the answer (7 characters) matches damn, and must not',
    )
    expect(await outcomeOf('- { prompt: x, mustNotMatch: damn }', ' \n')).toBe('golden.yaml:1: the answer is empty')
  })

  it('check JSON by its schema, also in a fence', async () => {
    const schema = `- prompt: x\n  jsonSchema: { type: object, required: [city], properties: { city: { type: string } } }\n`
    expect(await outcomeOf(schema, '{"city":"Paris"}')).toBeNull()
    expect(await outcomeOf(schema, '```json\n{"city":"Paris"}\n```')).toBeNull()
    expect(await outcomeOf(schema, '{"city":7}')).toContain('/city must be string')
    expect(await outcomeOf(schema, '{}')).toContain("it must have required property 'city'")
    expect(await outcomeOf(schema, 'Paris')).toContain('is no JSON')
    expect(await outcomeOf('- { prompt: x, jsonSchema: { type: nonsense } }', '{}')).toContain('golden.yaml:1: schema is invalid')
  })

  it('compare meanings by the embeddings of a pool', async () => {
    const near = '- { prompt: x, similarity: { to: a dog, pool: embed, atLeast: 0.8 } }'
    const embed = (cosine: number) => ({
      embed: () =>
        Promise.resolve([
          [1, 0],
          [cosine, Math.sqrt(1 - cosine ** 2)],
        ]),
    })
    expect(await outcomeOf(near, 'a hound', embed(0.9))).toBeNull()
    expect(await outcomeOf(near, 'a car', embed(0.3))).toBe(
      'golden.yaml:1: the answer is 0.30 like what was expected, at least 0.8 is needed',
    )
    expect(await outcomeOf(near, 'a car')).toBe('golden.yaml:1: no pool embeds')
    const words = { embed: () => Promise.resolve([['a'], ['b']] as unknown as number[][]) }
    expect(await outcomeOf(near, 'a car', words)).toContain('the embeddings of pool embed are no vectors of numbers')
  })

  it('ask a model of another pool', async () => {
    const polite = '- { prompt: x, judge: { pool: big, question: Is it polite? } }'
    const says = (word: string) => ({ askPool: () => Promise.resolve(word) })
    expect(await outcomeOf(polite, 'hello', says('**Yes.**'))).toBeNull()
    expect(await outcomeOf(polite, 'hello', says('No, not at all'))).toContain('pool big says no to: Is it polite?')
    expect(await outcomeOf(polite, 'hello', says('perhaps'))).toContain('neither yes nor no')
    expect(await outcomeOf(polite, 'hello', says('<think>No, wait: is it?</think>\n\nYes'))).toBeNull()
    expect(await outcomeOf(polite, 'hello', says('Yes: there is no insult in it'))).toBeNull()
    expect(await outcomeOf(polite, 'hello', says('There is no insult, so yes'))).toContain('neither yes nor no')
  })

  it('ask a judge that mumbles once more', async () => {
    const words = ['Well...', 'yes']
    const polite = '- { prompt: x, judge: { pool: big, question: Is it polite? } }'
    expect(await outcomeOf(polite, 'hello', { askPool: () => Promise.resolve(words.shift() ?? '') })).toBeNull()
  })

  it('ask once more where no answer came, and then count it as failed', async () => {
    let asked = 0
    const flaky = asker(() => 'paris')
    const once: GoldenAsker = { ...flaky, ask: (prompt) => (++asked === 1 ? Promise.reject(new Error('reset')) : flaky.ask(prompt)) }
    const prompts = await parseGolden(capital, 'golden.yaml')
    expect(await runGolden(prompts, once)).toEqual({ asked: 1, passed: 1, firstFailure: null })
    const never: GoldenAsker = { ...flaky, ask: () => Promise.reject(new Error('the node is gone')) }
    expect(await runGolden(prompts, never)).toEqual({ asked: 1, passed: 0, firstFailure: 'golden.yaml:1: the node is gone' })
  })

  it('are many and asked two at a time', async () => {
    let [now, most] = [0, 0]
    const prompts = await parseGolden(capital.repeat(9), 'golden.yaml')
    const slow: GoldenAsker = {
      ...asker(() => ''),
      async ask() {
        most = Math.max(most, ++now)
        await Promise.resolve()
        now -= 1
        return 'Paris'
      },
    }
    expect(await runGolden(prompts, slow)).toMatchObject({ asked: 9, passed: 9 })
    expect(most).toBe(2)
  })

  it('are asked no longer once three have failed: a model that hangs must not hold a rollout for hours', async () => {
    const prompts = await parseGolden(capital.repeat(50), 'golden.yaml')
    const { asked, passed, firstFailure } = await runGolden(prompts, { ...asker(() => ''), ask: () => Promise.resolve('Rome') })
    expect(asked).toBeLessThanOrEqual(4)
    expect([passed, firstFailure]).toEqual([0, expect.stringContaining('golden.yaml:1')])
  })

  it('end an expression that never would', async () => {
    expect(await outcomeOf(`- { prompt: x, mustMatch: '^(a+)+$' }`, `${'a'.repeat(60)}!`)).toContain('took longer than a second')
    const schema = `- { prompt: x, jsonSchema: { type: string, pattern: '^(a+)+$' } }`
    expect(await outcomeOf(schema, `"${'a'.repeat(60)}!"`)).toContain('its JSON schema took longer than a second')
  })
})
