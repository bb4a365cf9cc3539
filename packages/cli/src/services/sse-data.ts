/** Data lines of a text/event-stream, from parts that may be cut anywhere (WHATWG HTML, server-sent events; one data line an event, as OpenAI sends them). */
export function createSseReader(onData: (data: string) => void): (part: string) => void {
  let rest = ''
  return (part) => {
    const lines = `${rest}${part}`.split(/\r\n|\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data:')) onData(line.slice(line[5] === ' ' ? 6 : 5))
  }
}
