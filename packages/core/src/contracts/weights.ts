/**
 * Where an engine that is launched on another machine will look for its weights there. Core looks, with what a plain shell has, and tells what they are: a
 * commit of a hub's cache, or samples and then SHA-256 of files.
 */
export type WeightsPlace =
  /** Absolute: all files of the model. */
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  /** Absolute, with the endings of the names of those that count, without their dots. */
  | { readonly kind: 'folder'; readonly folder: string; readonly endings: readonly string[] }
  /** `org/name` in the cache of the hub's client, at a branch, tag or commit; `cacheVariable` names its cache before the client's own variables do. */
  | { readonly kind: 'hub'; readonly repo: string; readonly revision: string; readonly cacheVariable?: string }

/** How weights of a certain content are launched, whatever their name has come to mean since. What is left out stays as it was. */
export interface WeightsPin {
  /** Of `launch.args`, in the place of those that are there. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** In the place of `launch.model`. */
  readonly weights?: string
  /** The model's name at the node, of an attached one. */
  readonly model?: string
}
