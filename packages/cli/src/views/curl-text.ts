export interface CurlOptions {
  readonly model: string
  readonly keyVariable?: string | undefined
  /** To trust, where the gateway speaks TLS. */
  readonly certFile?: string | undefined
}

/** A request to copy: complete, on one line, and without the key itself. */
export function curlText(url: string, options: CurlOptions): string {
  const body = JSON.stringify({ model: options.model, messages: [{ role: 'user', content: 'hi' }] }).replaceAll("'", `'\\''`)
  const key = options.keyVariable === undefined ? '' : ` -H "authorization: Bearer $${options.keyVariable}"`
  if (url.startsWith('unix:')) return `curl --unix-socket ${url.slice('unix:'.length)} http://lb/v1/chat/completions${key} -d '${body}'`
  const trust = options.certFile === undefined ? '' : `--cacert '${options.certFile.replaceAll("'", `'\\''`)}' `
  return `curl ${trust}${url}/v1/chat/completions${key} -d '${body}'`
}
