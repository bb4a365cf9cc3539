/**
 * Parts of Node.js without what an ESM import of them brings along: importing node:http reads every export, and some are getters that load undici,
 * http2 and the web streams, 16 MB that a balancer never uses; node:util so brings 3 MB, and node:process 5. TLS is 3 MB that most never use, so it is
 * loaded where a certificate or an https node is.
 */
export const leanHttp = process.getBuiltinModule('node:http')

export const { isDeepStrictEqual, promisify, stripVTControlCharacters } = process.getBuiltinModule('node:util')

export function leanHttps() {
  return process.getBuiltinModule('node:https')
}

export function leanTls() {
  return process.getBuiltinModule('node:tls')
}
