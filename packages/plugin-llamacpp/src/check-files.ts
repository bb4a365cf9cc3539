import { access, constants, readdir, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute } from 'node:path'
import type { Diagnosis, PreflightFinding } from '@plimsoll/core/plugin'
import { BadGguf } from './gguf-cursor.js'
import { readGgufFile } from './gguf-file.js'
import { splitFiles } from './split-files.js'

const error = (kind: Diagnosis['kind'], message: string, hint: string): PreflightFinding => ({ kind, message, hint, severity: 'error' })

/** A model that llama-server could open: there, readable, GGUF, whole, with all its parts. */
export async function checkModelFile(path: string, signal: AbortSignal): Promise<readonly PreflightFinding[]> {
  if (!isAbsolute(path))
    return [
      error(
        'bad-settings',
        `launch.model \`${path}\` is no absolute path`,
        path.startsWith('~') ? 'no shell reads it: ${HOME} instead of ~' : 'an absolute path (${HOME}/models/x.gguf), or hf:org/repo:quant',
      ),
    ]
  const parts = splitFiles(path)
  const found = await Promise.all(parts.map((part) => checkFile(part)))
  const missing = found.flat()
  if (missing.length > 0) return missing.length < 4 ? missing : [...missing.slice(0, 3), more(missing.length - 3)]
  const first = await checkWhole(path, signal)
  const others = await Promise.all(parts.filter((part) => part !== path).map((part) => checkWhole(part, signal)))
  const wrongFirst = parts.length > 1 && path !== parts[0] ? [notTheFirst(parts[0] ?? '')] : []
  return [...wrongFirst, ...first, ...others.flat()]
}

/** Something that is there and may be read. */
export async function checkFile(path: string): Promise<readonly PreflightFinding[]> {
  try {
    if ((await stat(path)).isDirectory())
      return [
        error('bad-settings', `${path} is a folder`, 'name one file; a folder of models is args.router.modelsDir, without launch.model'),
      ]
    await access(path, constants.R_OK)
    return []
  } catch (cause) {
    return [await unreadable(path, (cause as { code?: unknown }).code)]
  }
}

export async function checkFolder(path: string): Promise<readonly PreflightFinding[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder ? [] : [error('bad-settings', `${path} is no folder`, `mkdir -p ${path}, or name another`)]
}

async function checkWhole(path: string, signal: AbortSignal): Promise<readonly PreflightFinding[]> {
  try {
    const { bytes, header } = await readGgufFile(path, signal)
    if (bytes < header.leastFileBytes)
      return [
        error(
          'model-missing',
          `${path} is not whole: ${bytes} of at least ${header.leastFileBytes} bytes`,
          'its download may have been cut; fetch it again',
        ),
      ]
    if (header.kind !== undefined && header.kind !== 'model')
      return [error('bad-settings', `${path} is no model but: ${header.kind}`, 'an adapter goes to args.loras, a projector to args.mmproj')]
    return []
  } catch (cause) {
    if (!(cause instanceof BadGguf)) throw cause
    return [error('bad-settings', `${path} is no GGUF file that can be read: ${cause.message}`, await hintFor(path))]
  }
}

/** A few bytes that people often have instead of a model. */
async function hintFor(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size < 1024) return 'so short a file is often a pointer of Git LFS: git lfs pull, or fetch it from its page'
  return 'a checkpoint in another format has to be converted first (convert_hf_to_gguf.py of llama.cpp)'
}

async function unreadable(path: string, code: unknown): Promise<PreflightFinding> {
  if (code === 'EACCES' || code === 'EPERM')
    return error('model-missing', `${path} may not be read`, 'chmod a+r, or run lb as a user who may')
  const beside = await readdir(dirname(path)).catch(() => undefined)
  const models = beside?.filter((name) => name.endsWith('.gguf') && name !== basename(path)).slice(0, 5) ?? []
  const hint =
    beside === undefined
      ? `there is no folder ${dirname(path)} either`
      : models.length === 0
        ? 'no GGUF file lies in that folder'
        : `in that folder: ${models.join(', ')}`
  return error('model-missing', `${path} is not there`, hint)
}

function notTheFirst(first: string): PreflightFinding {
  return error('bad-settings', 'launch.model names a later part of a split model', `name the first: ${first}`)
}

function more(count: number): PreflightFinding {
  return error('model-missing', `and ${count} more parts of the split model are not there`, 'fetch all of them')
}
