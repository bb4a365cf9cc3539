/** An answer other than 2xx, in vLLM's error shape. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly detail: { readonly type?: string; readonly param?: string } = {},
  ) {
    super(message)
  }

  get body(): string {
    const { type = typeOf(this.status), param = null } = this.detail
    return JSON.stringify({ error: { message: this.message, type, param, code: this.status } })
  }
}

function typeOf(status: number): string {
  if (status === 404) return 'NotFoundError'
  if (status === 503) return 'ServiceUnavailableError'
  if (status >= 500) return 'InternalServerError'
  return 'BadRequestError'
}
