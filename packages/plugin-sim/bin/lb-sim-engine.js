#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const { XDG_CACHE_HOME: given = '', HOME = homedir() } = process.env
// A folder of the user's own, that of lb: the default lies under the shared temp folder. Where it cannot be written, all is compiled anew.
enableCompileCache(join(given.startsWith('/') ? given : join(HOME, '.cache'), 'plimsoll', 'compiled'))
const { main } = await import('../dist/server/main.js')
main(process.argv.slice(2))
