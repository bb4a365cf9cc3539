import { shellWord } from './shell-text.js'

/**
 * What is asked of another machine about weights: plain sh and the tools of every system. The samples are those that are taken of files here
 * (state/file-hashes.ts), byte for byte.
 */
const SUMS = `
LC_ALL=C
export LC_ALL
sum() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256
  elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r
  else cat >/dev/null; fi | cut -c1-64
}
[ -n "$(echo | sum)" ] || { echo 'untold there is no sha256sum'; exit 0; }
there() { [ -f "$1" ] && [ -r "$1" ] || { echo "untold there is no file $1"; exit 0; }; }
size_of() { echo $(( $(wc -c < "$1") )); }
`

const HEAD = 1024 * 1024
const PART = 64 * 1024
const PARTS = 16

/** Prints `sample BYTES HASH`, or `untold WHY`. */
export function sampleScript(paths: readonly string[]): string {
  return `${SUMS}
set -- ${words(paths)}
total=0
for file in "$@"; do there "$file"; total=$((total + $(size_of "$file"))); done
samples() {
  for file in "$@"; do
    size=$(size_of "$file")
    printf '%s:%s:' "\${file##*/}" "$size"
    head -c ${HEAD} "$file"
    [ "$size" -gt ${PART} ] || continue
    part=1
    while [ "$part" -le ${PARTS} ]; do
      tail -c +$((part * (size - ${PART}) / ${PARTS} + 1)) "$file" | head -c ${PART}
      part=$((part + 1))
    done
  done
}
echo "sample $total $(samples "$@" | sum)"
`
}

/** Prints `whole HASH` for each file, in order, or `untold WHY`. Leaves the machine to others. */
export function wholeScript(paths: readonly string[]): string {
  return `${SUMS}
command -v renice >/dev/null 2>&1 && renice -n 19 -p $$ >/dev/null 2>&1
for file in ${words(paths)}; do there "$file"; echo "whole $(sum < "$file")"; done
`
}

/** Prints the names of the files in a folder that end so, one a line and sorted, or `untold WHY`. */
export function namesScript(folder: string, endings: readonly string[]): string {
  const globs = endings.map((ending) => `*.${ending}`).join('|')
  return `
LC_ALL=C
export LC_ALL
cd ${words([folder])} 2>/dev/null || { echo 'untold there is no such folder'; exit 0; }
for name in *; do
  [ -f "$name" ] || continue
  case $name in ${globs}) echo "name $name" ;; esac
done
`
}

export interface HubQuestion {
  readonly repo: string
  readonly revision: string
  readonly cacheVariable?: string
  /** Declared for the engine, on top of what the login has. */
  readonly env: Readonly<Record<string, string>>
}

/** Prints `commit HASH` as the cache of the hub's client has it, or `untold WHY`. */
export function commitScript({ repo, revision, cacheVariable, env }: HubQuestion): string {
  const exports = Object.entries(env).map(([name, value]) => `${name}=${shellWord(value)}`)
  const own = cacheVariable === undefined ? '' : `\${${cacheVariable}:-}`
  const folder = `models--${repo.replaceAll('/', '--')}`
  return `
${exports.join('\n')}
cache=${own === '' ? "''" : own}
[ -n "$cache" ] || cache=\${HF_HUB_CACHE:-\${HUGGINGFACE_HUB_CACHE:-\${HF_HOME:-\${XDG_CACHE_HOME:-$HOME/.cache}/huggingface}/hub}}
folder=$cache/${words([folder])}
revision=${words([revision])}
commit=$revision
{ read -r commit < "$folder/refs/$revision"; } 2>/dev/null || [ -n "$commit" ] || commit=$revision
if [ -d "$folder/snapshots/$commit" ]; then echo "commit $commit"; else echo "untold there is no $revision of it in $cache"; fi
`
}

/** A path that begins with a hyphen is no option. */
function words(paths: readonly string[]): string {
  return paths.map((path) => shellWord(path.startsWith('-') ? `./${path}` : path)).join(' ')
}
