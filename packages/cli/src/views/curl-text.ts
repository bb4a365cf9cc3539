/** A request to copy: complete, on one line, and without the key itself. */
export function curlText(url: string, options: { readonly model: string; readonly keyVariable?: string | undefined }): string {
  const body = JSON.stringify({ model: options.model, messages: [{ role: 'user', content: 'hi' }] }).replaceAll("'", `'\\''`)
  const key = options.keyVariable === undefined ? '' : ` -H "authorization: Bearer $${options.keyVariable}"`
  if (url.startsWith('unix:')) return `curl --unix-socket ${url.slice('unix:'.length)} http://lb/v1/chat/completions${key} -d '${body}'`
  return `curl ${url}/v1/chat/completions${key} -d '${body}'`
}
