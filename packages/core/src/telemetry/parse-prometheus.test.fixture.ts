import { expect } from 'vitest'

export interface ReadSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReadFamily {
  readonly name: string
  readonly type: string
  readonly samples: ReadSample[]
}

const labelPair = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/
const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s

/** A strict reader of the text format, with promtool's lints that apply here. Fails the test at the first oddity. */
export function parsePrometheus(text: string): ReadFamily[] {
  expect(text === '' || text.endsWith('\n'), 'ends with a line feed').toBe(true)
  const families: ReadFamily[] = []
  for (const line of text.split('\n').slice(0, -1)) readLine(line, families)
  for (const family of families) lint(family)
  return families
}

function readLine(line: string, families: ReadFamily[]): void {
  const help = /^# HELP (\S+) (.+)$/.exec(line)
  if (help) {
    expect(families.map((family) => family.name)).not.toContain(help[1])
    families.push({ name: help[1]!, type: '', samples: [] })
    return
  }
  const family = families.at(-1)!
  const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
  if (type) {
    expect(type[1]).toBe(family.name)
    families[families.length - 1] = { ...family, type: type[2]! }
    return
  }
  family.samples.push(readSample(line))
}

function readSample(line: string): ReadSample {
  const [, name, pairs = '', value] = sampleLine.exec(line) ?? expect.fail(`not a sample: ${line}`)
  const number = value === '+Inf' ? Infinity : Number(value)
  expect(Number.isNaN(number), line).toBe(false)
  return { name: name!, labels: readLabels(pairs), value: number }
}

function readLabels(pairs: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (let rest = pairs; rest !== '';) {
    const [whole, name, value] = labelPair.exec(rest) ?? expect.fail(`not a label: ${rest}`)
    expect(Object.keys(labels)).not.toContain(name)
    labels[name!] = value!.replaceAll(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(whole.length)
  }
  return labels
}

function lint(family: ReadFamily): void {
  expect(family.name).toMatch(/^[a-z][a-z0-9_]*$/)
  expect(family.name.endsWith('_total'), `${family.name} is a ${family.type}`).toBe(family.type === 'counter')
  expect(family.name).not.toMatch(/_(milliseconds|ms|minutes|percent)(_|$)|_(count|sum|bucket)$/)
  const keys = family.samples.map((sample) => sample.name + JSON.stringify(sample.labels))
  expect(new Set(keys).size, `${family.name} repeats a series`).toBe(keys.length)
  const allowed = family.type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => family.name + suffix) : [family.name]
  for (const sample of family.samples) expect(allowed).toContain(sample.name)
  if (family.type === 'histogram') lintHistogram(family)
}

function lintHistogram(family: ReadFamily): void {
  let last = { bound: -Infinity, value: 0 }
  for (const sample of family.samples) {
    if (sample.name === `${family.name}_count`) expect(sample.value).toBe(last.value)
    if (!sample.name.endsWith('_bucket')) continue
    const bound = sample.labels['le'] === '+Inf' ? Infinity : Number(sample.labels['le'])
    if (last.bound === Infinity) last = { bound: -Infinity, value: 0 }
    expect(bound).toBeGreaterThan(last.bound)
    expect(sample.value).toBeGreaterThanOrEqual(last.value)
    last = { bound, value: sample.value }
  }
  expect(last.bound).toBe(Infinity)
}
