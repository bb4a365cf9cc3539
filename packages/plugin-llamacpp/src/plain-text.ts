/** Not imported: an ESM import of node:util reads all its exports, and costs the balancer 3 MB for this one. */
export const { stripVTControlCharacters } = process.getBuiltinModule('node:util')
