import { fileURLToPath } from 'node:url'

/** The program that stands in for an engine on another machine. */
export const remoteEngineMain: string = fileURLToPath(new URL('./remote-engine-main.js', import.meta.url))
