import { tokenise } from './tokenise.js'
import { opening, words } from './words.js'

/**
 * An endless text that depends on its key alone, written sentence by sentence as far as somebody asks.
 * Asking for more never changes what is there: any cut of it is a beginning of it.
 */
export class Story {
  text = opening
  tokens = tokenise(opening).ids.length
  private readonly random: () => number
  private natural: number | undefined

  constructor(readonly key: number) {
    this.random = mulberry32(key)
  }

  /** Where an answer of this key ends by itself, in characters: the sentence end after 40 to 189 tokens. */
  get naturalLength(): number {
    if (this.natural === undefined) {
      this.growTo(() => this.tokens >= 40 + (this.key % 150))
      this.natural = this.text.length
    }
    return this.natural
  }

  growToLength(characters: number): void {
    this.growTo(() => this.text.length >= characters)
  }

  growToTokens(tokens: number): void {
    this.growTo(() => this.tokens >= tokens)
  }

  /** Call `naturalLength` before growing, or it would come out too long. */
  private growTo(isEnough: () => boolean): void {
    while (!isEnough()) {
      const sentence = ` ${this.sentence()}`
      this.text += sentence
      this.tokens += tokenise(sentence).ids.length
    }
  }

  private sentence(): string {
    const count = 6 + Math.floor(this.random() * 9)
    const picked = Array.from({ length: count }, () => words[Math.floor(this.random() * words.length)] ?? 'sea')
    const comma = Math.floor(count / 2)
    if (count > 9) picked[comma] += ','
    const text = picked.join(' ')
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
  }
}

/** 32 bits of (seed, text), FNV-1a with a last mix. */
export function storyKey(seed: number, text: string): number {
  let hash = Math.imul(seed ^ 0x811c9dc5, 0x01000193)
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
