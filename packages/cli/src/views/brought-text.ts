/** "lb-plugin-x 1.0.0: engine x; strategy y": a plugin and what it brings. */
export function broughtText(change: {
  readonly name: string
  readonly version: string
  readonly engines: readonly string[]
  readonly strategies: readonly string[]
  readonly metrics: readonly string[]
}): string {
  const brought = [...listed('engine', change.engines), ...listed('strategy', change.strategies), ...listed('metric', change.metrics)]
  return `${change.name} ${change.version}${brought.length === 0 ? '' : `: ${brought.join('; ')}`}`
}

function listed(word: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${word} ${names.join(', ')}`]
}
