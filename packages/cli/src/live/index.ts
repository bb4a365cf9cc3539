/**
 * Owns the live view of `lb up` and `lb top`: state, keys and the Ink screen. Refuses to know sockets and commands: it sees a LiveClient.
 * Read first: live-session.ts, then frame.ts. Import this room lazily: Ink and React come with the first `runLiveView`.
 */
export type { LiveClient, LiveEnd, LiveMode } from './live-client.js'
export { canShowLive, runLiveView, type LiveViewOptions } from './live-view.js'
