/** One word of a POSIX shell that means exactly this text. NUL cannot stand in it: throws. */
export function shellWord(text: string): string {
  if (text.includes('\0')) throw new Error('a shell word cannot hold NUL')
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
