import { readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The version of an installed `vllm`, from the name of its package's folder beside the command: asking it (`vllm --version`) loads PyTorch and takes many seconds. */
export async function installedVersion(command: string): Promise<string | undefined> {
  const folders = [...new Set([dirname(command), dirname(await realpath(command).catch(() => command))])]
  for (const bin of folders) {
    const lib = join(dirname(bin), 'lib')
    for (const python of (await namesIn(lib)).filter((name) => name.startsWith('python3'))) {
      for (const name of await namesIn(join(lib, python, 'site-packages'))) {
        const version = /^vllm-(\d[\w.+!-]*)\.dist-info$/.exec(name)?.[1]
        if (version !== undefined) return version
      }
    }
  }
  return undefined
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}
