import type { NodeSpec } from '@plimsoll/core/plugin'

/** A server that a rule may ask; the rule closes it. */
export interface StartedServer {
  /** Base URL without a trailing slash. */
  readonly url: string
  close(): Promise<void>
}

/** What the contract must know of one plugin to judge it: how its engine looks, as scripted by its author from recorded answers. */
export interface ContractSubject {
  /** `launch.args` as a user would write them; `{}` by default. */
  readonly args?: Readonly<Record<string, unknown>>
  /** `launch.model`, where the engine needs one. */
  readonly weights?: string
  /** Further fields of the node, such as `model`. */
  readonly spec?: Partial<NodeSpec<never>>
  /** The model names of the node; `['model-a']` by default. */
  readonly models?: readonly string[]
  /** Starts a server that answers as the engine does when it would serve. */
  readonly ready: () => Promise<StartedServer>
  /** One that answers as the engine does while it loads; left out where it then answers nothing. */
  readonly loading?: () => Promise<StartedServer>
  /** One that answers as the engine does when it is broken. */
  readonly sick?: () => Promise<StartedServer>
}
