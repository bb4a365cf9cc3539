/** What is wrong with a form, and at which byte of it. */
export class MultipartError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
    this.name = 'MultipartError'
  }
}
