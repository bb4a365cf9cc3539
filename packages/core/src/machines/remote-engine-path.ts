import { fileURLToPath } from 'node:url'

/** The program that stands in for an engine on another machine. From here it is as far as from the bundle (scripts/bundle.js). */
export const remoteEngineMain: string = fileURLToPath(new URL('../../bin/lb-remote-engine.js', import.meta.url))
