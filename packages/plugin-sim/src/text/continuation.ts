import { Story, storyKey } from './story.js'
import { tokenise } from './tokenise.js'
import { opening } from './words.js'

export interface WritingTask {
  readonly seed: number
  /** All that comes before the text in hand: earlier messages, as one string. */
  readonly context: string
  /** The text that the answer goes on from: a trailing assistant message, a raw prompt, or ''. */
  readonly begun: string
  /** Go on past the natural end until this many tokens. */
  readonly atLeastTokens?: number
}

/**
 * The rest of the answer, from the end of `begun` to its natural end. If `begun` holds a simulated answer that was cut at any character,
 * the two together are to the character the answer that was not cut. Otherwise `begun` is somebody's own beginning and an answer to it follows.
 */
export function continueText(task: WritingTask): string {
  return textFrom(placeOf(task), task.atLeastTokens)
}

/** Where in a story an answer begins: all that its text depends on. */
export interface StoryPlace {
  readonly key: number
  /** Characters of the story that stand before it. */
  readonly delivered: number
  /** Between the client's own words and a new story. */
  readonly lead: string
}

export function placeOf(task: WritingTask): StoryPlace {
  const { story, delivered, lead } = findStory(task)
  return { key: story.key, delivered, lead }
}

/** The answer from there to its natural end, or on until so many tokens. */
export function textFrom({ key, delivered, lead }: StoryPlace, atLeastTokens?: number): string {
  const story = new Story(key)
  const end = story.naturalLength
  if (delivered > end) story.growToLength(delivered)
  if (atLeastTokens === undefined) return lead + story.text.slice(delivered, Math.max(end, delivered))
  // A few more than needed: cut in mid-word, the same text has a token or two less.
  story.growToLength(delivered)
  story.growToTokens(tokenise(story.text.slice(0, delivered)).ids.length + atLeastTokens + 4)
  return lead + story.text.slice(delivered)
}

/** The place behind the first tokens of an answer. Undefined where these ids are not its beginning. */
export function placeBehind(place: StoryPlace, ids: readonly number[]): StoryPlace | undefined {
  // The last token is whole only when another one follows.
  const text = textFrom(place, ids.length + 1)
  const tokens = tokenise(text)
  if (ids.some((id, index) => tokens.ids[index] !== id)) return undefined
  const characters = tokens.ends[ids.length - 1] ?? 0
  const { key, delivered, lead } = place
  return { key, delivered: delivered + Math.max(0, characters - lead.length), lead: lead.slice(characters) }
}

interface FoundStory {
  readonly story: Story
  /** Characters of the story that `begun` ends with. */
  readonly delivered: number
  /** Between the client's own words and a new story. */
  readonly lead: string
}

function findStory(task: WritingTask): FoundStory {
  const start = task.begun.lastIndexOf(opening)
  if (start >= 0) {
    const found = storyAfter(task, start)
    if (found !== undefined) return found
  }
  const partial = openingPartAtEnd(task.begun)
  const story = newStory(task, task.begun.slice(0, task.begun.length - partial))
  const lead = partial > 0 || task.begun === '' || /\s$/u.test(task.begun) ? '' : ' '
  return { story, delivered: partial, lead }
}

/** The story that starts at `start`, if all that follows there is its beginning. */
function storyAfter(task: WritingTask, start: number): FoundStory | undefined {
  const story = newStory(task, task.begun.slice(0, start))
  const delivered = task.begun.slice(start)
  if (story.naturalLength < delivered.length) story.growToLength(delivered.length)
  return story.text.startsWith(delivered) ? { story, delivered: delivered.length, lead: '' } : undefined
}

/** Space at the end does not count: the one between a client's words and the story must not make it another story. */
function newStory(task: WritingTask, ownBeginning: string): Story {
  return new Story(storyKey(task.seed, `${task.context}\n${ownBeginning.trimEnd()}`))
}

/** How much of the opening sentence stands at the very end of a text. */
function openingPartAtEnd(text: string): number {
  for (let length = Math.min(opening.length - 1, text.length); length > 0; length--)
    if (text.endsWith(opening.slice(0, length))) return length
  return 0
}
