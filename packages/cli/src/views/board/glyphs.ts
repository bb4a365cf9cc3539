import type { BalancerState, NodeState } from '@plimsoll/core'
import type { Tone } from './spans.js'

/** The signs a terminal can draw. A state always shows its sign and its word, never colour alone. */
export interface Glyphs {
  readonly states: Readonly<Record<NodeState | BalancerState, string>>
  readonly lost: string
  readonly barFull: string
  readonly barEmpty: string
  readonly rule: string
  readonly pointer: string
  readonly arrows: string
  /** From old to new. */
  readonly arrow: string
  readonly dot: string
  readonly more: string
  /** Lowest first. */
  readonly spark: readonly string[]
}

const UNICODE: Glyphs = {
  states: {
    declared: '○',
    starting: '◌',
    loading: '◔',
    warming: '◑',
    ready: '●',
    suspect: '▲',
    draining: '◐',
    asleep: '◦',
    stopped: '○',
    failed: '✕',
    serving: '●',
  },
  lost: '✕',
  barFull: '█',
  barEmpty: '░',
  rule: '─',
  pointer: '▸',
  arrows: '↑↓',
  arrow: '→',
  dot: '·',
  more: '…',
  spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
}

const ASCII: Glyphs = {
  states: {
    declared: 'o',
    starting: '.',
    loading: '%',
    warming: '~',
    ready: '*',
    suspect: '?',
    draining: '-',
    asleep: 'z',
    stopped: 'o',
    failed: 'x',
    serving: '*',
  },
  lost: 'x',
  barFull: '#',
  barEmpty: '.',
  rule: '-',
  pointer: '>',
  arrows: 'up/down',
  arrow: '->',
  dot: '|',
  more: '~',
  spark: ['_', '.', ':', '-', '=', '+', '*', '#'],
}

const TONES: Readonly<Record<NodeState | BalancerState, Tone>> = {
  declared: 'dim',
  starting: 'accent',
  loading: 'accent',
  warming: 'accent',
  ready: 'good',
  suspect: 'warn',
  draining: 'warn',
  asleep: 'dim',
  stopped: 'dim',
  failed: 'bad',
  serving: 'good',
}

export function toneOf(state: NodeState | BalancerState): Tone {
  return TONES[state] ?? 'plain'
}

/** ASCII unless the locale says UTF-8: LC_ALL, then LC_CTYPE, then LANG, as POSIX orders them. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale) ? UNICODE : ASCII
}
