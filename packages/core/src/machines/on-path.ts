import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The full path of a command as a shell would find it; undefined when it is not installed. Starts nothing. */
export async function onPath(command: string, searchPath = process.env['PATH'] ?? ''): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, command)
    if (await isExecutable(candidate)) return candidate
  }
  return undefined
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
