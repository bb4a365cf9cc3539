#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { main } = await import('../dist/server/main.js')
main(process.argv.slice(2))
