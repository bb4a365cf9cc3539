import { messageOf } from '../errors/index.js'
import { PlaceMap, type Finding } from './finding.js'
import { environmentAt, holdsSecret, interpolate, type Environment } from './interpolate.js'
import type { KeyPath } from './key-path.js'
import { isForbiddenKey, readLimits, type ReadDocument } from './read-document.js'

/** Copies what a program or a code config hands in to plain data; everything that is not data is a finding. */
export function readData(input: unknown, env: Environment): ReadDocument {
  const walk = new DataWalk(env)
  const value = walk.copy(input, [])
  return { value, places: new PlaceMap(), findings: walk.findings, usable: true }
}

class DataWalk {
  readonly findings: Finding[] = []
  private values = 0

  constructor(private readonly env: Environment) {}

  copy(value: unknown, path: KeyPath): unknown {
    if (++this.values > readLimits.values || path.length > readLimits.depth)
      return this.refuse(path, 'is nested too deep or has too many values')
    if (typeof value === 'string') return this.text(value, path)
    if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
    if (Array.isArray(value)) return value.map((item, index) => this.copy(item, [...path, index]))
    if (typeof value === 'object' && isPlain(value)) return this.record(value, path)
    return this.refuse(path, `is ${kindOf(value)}; a topology is plain data`)
  }

  private text(value: string, path: KeyPath): string {
    if (holdsSecret(path)) return value
    const { text, problems } = interpolate(value, environmentAt(path, this.env))
    for (const { message, hint } of problems) this.findings.push({ path, at: 'value', message, hint })
    return text
  }

  private record(value: object, path: KeyPath): unknown {
    const copy: Record<string, unknown> = {}
    try {
      for (const key of Object.keys(value)) {
        const item = (value as Record<string, unknown>)[key]
        if (isForbiddenKey(key)) this.refuse([...path, key], 'is not allowed as a key')
        else if (item !== undefined) copy[key] = this.copy(item, [...path, key])
      }
    } catch (error) {
      this.refuse(path, `cannot be read: ${messageOf(error)}`)
    }
    return copy
  }

  private refuse(path: KeyPath, what: string): null {
    this.findings.push({ path, at: 'value', message: `the value ${what}` })
    return null
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A config module may come from another realm, whose Object is not ours.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `an instance of ${value.constructor?.name ?? 'a class'}`
  return typeof value === 'undefined' ? 'missing' : `a ${typeof value}`
}
