import { describe, expect, it } from 'vitest'
import { importsOf } from './imports.js'
import { codeOnly, withoutComments } from './strip.js'

const specifiers = (text: string) => importsOf({ path: 'a.ts', text }).map(({ specifier }) => specifier)

describe('the reader of source text', () => {
  it('keeps an address in quotes that looks like a comment', () => {
    expect(withoutComments(`const a = 'http://x' // gone`).trim()).toBe(`const a = 'http://x'`)
  })

  it('is not led astray by a quote in a regular expression', () => {
    expect(withoutComments(`const a = /['"]/g; f() // it's gone`).trim()).toBe(`const a = /['"]/g; f()`)
  })

  it('reads code inside a template and hides the text around it', () => {
    const code = codeOnly('const a = `console.log ${process.exit({ a: `x${b}` })} // text`; done()')
    expect(code).toContain('process.exit({ a: `')
    expect(code).not.toContain('console')
    expect(code).toContain('done()')
  })

  it('divides after a bracket', () => {
    expect(codeOnly('const a = (b) / 2 // c / d').trim()).toBe('const a = (b) / 2')
  })

  it('finds imports over several lines, side effects, re-exports and lazy ones', () => {
    const text = `import {\n  a,\n  type B,\n} from './a.js'\nimport './b.js'\nexport type * from './c.js'\nexport { d } from "./d.js"\nconst e = await import('./e.js')\nimport json from './f.json' with { type: 'json' }`
    expect(specifiers(text)).toEqual(['./a.js', './b.js', './c.js', './d.js', './f.json', './e.js'])
  })

  it('finds no import in an export of a value or in a type position without one', () => {
    expect(specifiers(`export const from = 'x'\nexport function f() { return 'from "y"' }`)).toEqual([])
  })

  it('knows which imports are gone at run time', () => {
    expect(
      importsOf({ path: 'a.ts', text: `import type { A } from 'a'\nimport { type B } from 'b'` }).map(({ typeOnly }) => typeOnly),
    ).toEqual([true, false])
  })
})
