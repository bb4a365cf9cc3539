import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { wrapCommand } from './wrap-command.js'

const BODY = { model: 'qwen3-4b', messages: [{ role: 'user', content: 'hi, there: "you"' }] }
const COMMAND = `curl http://127.0.0.1:8484/v1/chat/completions -d '${JSON.stringify(BODY)}'`

/** What a shell makes of the lines: one argument per line of output, JSON normalised. */
function wordsOf(command: string): string[] {
  return execFileSync('sh', ['-c', `set -- ${command}\nfor word; do printf '%s\\0' "$word"; done`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
}

describe('wrapCommand', () => {
  it('leaves a command that fits on one line', () => {
    expect(wrapCommand(COMMAND, 200)).toEqual([COMMAND])
  })

  it('breaks between words and after commas of the JSON body', () => {
    expect(wrapCommand(COMMAND, 80)).toEqual([
      `curl http://127.0.0.1:8484/v1/chat/completions -d '{"model":"qwen3-4b",`,
      `  "messages":[{"role":"user","content":"hi, there: \\"you\\""}]}'`,
    ])
  })

  it('means the same to a shell at every width', () => {
    for (let width = 20; width <= 140; width += 1) {
      const lines = wrapCommand(COMMAND, width)
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
      const [name, url, flag, body, ...none] = wordsOf(lines.join('\n'))
      expect([name, url, flag, none]).toEqual(['curl', 'http://127.0.0.1:8484/v1/chat/completions', '-d', []])
      expect(JSON.parse(body ?? '')).toEqual(BODY)
    }
  })
})
