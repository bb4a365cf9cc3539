/** One chat request to a base URL, as any client of yours would send it. Prints the answer and the node that gave it. */
export async function ask(baseUrl) {
  const response = await fetch(`${baseUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'Hello?' }] }),
  })
  const body = await response.json()
  if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(body)}`)
  process.stdout.write(`${response.headers.get('x-lb-node')}: ${body.choices[0].message.content}\n`)
}
