import { shellWord } from './shell-text.js'

/** Another name than here: an engine of another machine that is this one must not be taken for one of this balancer's own children. */
export const REMOTE_MARK_VARIABLE = 'LB_REMOTE_NODE'

/**
 * What runs on the other machine: POSIX sh, no agent of ours. Every script is sent through ssh's standard input, so that nothing of it
 * stands in a process list. On Linux processes come from /proc, elsewhere from `ps`.
 */
const FUNCTIONS = `
export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/sbin:/sbin
boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.bootsessionuuid 2>/dev/null || echo unknown; }
# PID: prints its opaque start time; nothing for a process that is gone or a zombie.
start_of() {
  if [ -d /proc/self ]; then
    { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 0
    set -- \${line##*) }
    case $1 in Z|X) return 0 ;; esac
    echo "\${20}"
  else
    ps -o state=,lstart= -p "$1" 2>/dev/null | sed -n 's/^[^Z][^ ]* *//p' | sed 's/ *$//' | tr ' ' '_'
  fi
}
# Lines PID PPID PGID of all living processes.
table() {
  if [ -d /proc/self ]; then
    for each in /proc/[0-9]*; do
      { read -r line < "$each/stat"; } 2>/dev/null || continue
      set -- \${line##*) }
      case $1 in Z|X) continue ;; esac
      echo "\${each#/proc/} $2 $3"
    done
  else
    ps -axo pid=,ppid=,pgid=
  fi
}
# PID: the pids of its group and of everything that descends from it, itself first.
tree_of() {
  table | awk -v top="$1" '
    { parent[$1] = $2; group[$1] = $3 }
    END {
      for (pid in parent) {
        found = (pid == top || group[pid] == top)
        for (up = pid; !found && up in parent && up > 1 && hops[pid]++ < 64; up = parent[up]) if (parent[up] == top) found = 1
        if (found) print pid
      }
    }'
}
# MARK: pids whose environment carries it. Linux only.
marked() {
  [ -d /proc/self ] || return 0
  grep -alF -- "${REMOTE_MARK_VARIABLE}=$1" /proc/[0-9]*/environ 2>/dev/null | sed 's|/proc/||; s|/environ||' | grep -vx "$$" || true
}
# PID START of a dead leader: pids of its group that have written their title over their environment (some workers do): no mark is left to read there.
left_of_group() {
  [ -d /proc/self ] && [ ! -e "/proc/$1" ] || return 0
  table | while read -r pid parent group; do
    [ "$group" = "$1" ] || continue
    [ "$(start_of "$pid")" -ge "$2" ] 2>/dev/null || continue
    head -c 512 "/proc/$pid/environ" 2>/dev/null | tr '\\0' '\\n' | head -n 1 | grep -q '^[^=][^=]*=' || echo "$pid"
  done
}
# Reads pids, prints PID START of the living ones.
with_starts() { while read -r pid; do [ -n "$pid" ] || continue; start=$(start_of "$pid"); [ -n "$start" ] && echo "$pid $start"; done; true; }
# Reads PID START, prints those that still live the same life.
living() { while read -r pid start; do [ -n "$start" ] && [ "$(start_of "$pid")" = "$start" ] && echo "$pid $start"; done; true; }
`

const MAX_LOG_BYTES = 10_485_760

/** One living process on the other machine. */
export interface RemoteRow {
  readonly pid: number
  readonly startTime: string
}

/** Prints `home PATH`. */
export const homeScript = 'echo "home $HOME"\n'

/** Prints the ports on which something listens, one a line. */
export const listeningScript = `${FUNCTIONS}
if [ -r /proc/net/tcp ]; then
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { n = split($2, part, ":"); print part[n] }' | while read -r hex; do printf '%d\\n' "0x$hex"; done
else
  netstat -an 2>/dev/null | awk '/LISTEN/ { n = split($4, part, /[.:]/); print part[n] }'
fi
`

export interface RemoteSpawn {
  readonly command: string
  readonly args: readonly string[]
  /** Set on top of what the login there has and `inherited` lets through. */
  readonly env: Readonly<Record<string, string>>
  /** Shell patterns of the names that stay, `LC_*`. */
  readonly inherited: readonly string[]
  readonly logPath: string
  /** A file there that remembers the process, with this note beside it, until the next one is started. */
  readonly runFile?: { readonly path: string; readonly note: string }
}

/** Starts a process in a session of its own whose output goes to a file; prints `spawned PID START BOOT BYTES`, the last what the log held before. */
export function spawnScript({ command, args, env, inherited, logPath, runFile }: RemoteSpawn): string {
  const exports = Object.entries(env).map(([name, value]) => `  export ${name}=${shellWord(value)}`)
  const words = [command, ...args].map(shellWord).join(' ')
  return `${FUNCTIONS}
umask 077
log=${shellWord(logPath)}
mkdir -p "$(dirname "$log")" || exit 73
: >> "$log" || exit 73
# A log that nobody turns over while it is written: at each start, one older one stays.
bytes=$(wc -c < "$log" | tr -d ' ')
if [ "$bytes" -gt ${String(MAX_LOG_BYTES)} ]; then mv "$log" "$log.1" && : >> "$log" && bytes=0; fi
if command -v setsid >/dev/null 2>&1; then session=setsid; else session='perl -MPOSIX -e setsid();exec@ARGV'; fi
(
  for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do
    case $name in ${inherited.join('|')}) ;; *) unset "$name" 2>/dev/null ;; esac
  done
${exports.join('\n')}
  exec $session ${words}
) >> "$log" 2>&1 < /dev/null &
pid=$!
start=$(start_of "$pid")
boot=$(boot_id)
${runFile === undefined ? '' : rememberLines(runFile)}
echo "spawned $pid \${start:-ended} $boot $bytes"
`
}

function rememberLines({ path, note }: { readonly path: string; readonly note: string }): string {
  return `run=${shellWord(path)}
mkdir -p "$(dirname "$run")" && printf '%s\\n' "$pid \${start:-ended} $boot "${shellWord(note)} > "$run.draft" && mv "$run.draft" "$run"`
}

/** Prints `found PID START BOOT BYTES NOTE` when the process that a run file remembers still lives: how long its log is, and the note of its start. */
export function findScript(path: string, logPath: string): string {
  return `${FUNCTIONS}
{ read -r pid start boot note < ${shellWord(path)}; } 2>/dev/null || exit 0
case $pid in ''|*[!0-9]*) exit 0 ;; esac
if [ -n "$start" ] && [ "$boot" = "$(boot_id)" ] && [ "$(start_of "$pid")" = "$start" ]; then echo "found $pid $start $boot $(wc -c < ${shellWord(logPath)} | tr -d ' ') $note"; fi
`
}

export interface RemoteWatch extends RemoteRow {
  readonly logPath: string
  /** Bytes of the log that are known already. */
  readonly fromByte: number
}

/**
 * Prints what is appended to a log from a byte on, until the process ends; exits 0 then. Ends too when its standard input does: nobody
 * listens any more. One function, so that the shell has read all of it before something else reads that input.
 */
export function watchScript({ pid, startTime, logPath, fromByte }: RemoteWatch): string {
  return `${FUNCTIONS}
watch() {
  exec 3<&0
  tail -c +${fromByte + 1} -f ${shellWord(logPath)} &
  tail=$!
  trap 'kill "$tail" "$reader" 2>/dev/null' EXIT
  trap 'exit 1' HUP TERM PIPE
  { cat <&3 >/dev/null; kill -s TERM $$; } &
  reader=$!
  while [ "$(start_of ${pid})" = ${shellWord(safeWord(startTime))} ]; do sleep 0.5; done
  sleep 0.2
  exit 0
}
watch
`
}

export interface RemoteStop extends RemoteRow {
  readonly bootId: string
  readonly mark: string
  readonly steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[]
}

/**
 * The whole of a stop in one script, so that a lost link cannot leave it half done: signals to the group step by step, then SIGKILL to
 * group, descendants (listed before the first signal) and marked processes. Prints `stopped`, `forced`, `left` or `stranger`.
 */
export function stopScript({ pid, startTime, bootId, mark, steps }: RemoteStop): string {
  const polite = steps.map(({ signal, waitMs }) => `step ${signal.slice(3)} ${Math.ceil(waitMs / 200)}`).join('\n')
  return `${FUNCTIONS}
trap '' HUP
leader=${pid} start=${shellWord(safeWord(startTime))} mark=${shellWord(mark)}
leads() { [ "$(boot_id)" = ${shellWord(bootId)} ] && [ "$(start_of "$leader")" = "$start" ]; }
tree=''
if leads; then
  tree=$(tree_of "$leader" | with_starts)
  result=stopped
else
  result=stranger
  [ "$(boot_id)" = ${shellWord(bootId)} ] && tree=$(left_of_group "$leader" "$start" | with_starts)
fi
left() { tree=$(echo "$tree" | living); [ -n "$tree" ] || tree=$(marked "$mark" | with_starts); [ -n "$tree" ]; }
finish() { echo "$result"; exit 0; }
step() {
  if leads; then kill -s "$1" -- "-$leader" 2>/dev/null; else echo "$tree" | living | while read -r pid rest; do kill -s "$1" "$pid" 2>/dev/null; done; fi
  looks=$2
  while [ "$looks" -gt 0 ]; do left || finish; sleep 0.2; looks=$((looks - 1)); done
}
left || finish
result=stopped
${polite}
result=forced
for round in 1 2 3 4 5 6; do
  leads && kill -s KILL -- "-$leader" 2>/dev/null
  { echo "$tree" | living; marked "$mark" | with_starts; } | while read -r pid rest; do kill -s KILL "$pid" 2>/dev/null; done
  sleep 0.3
  left || finish
done
echo left
`
}

/** A start time goes into a here-document: one word, nothing else. */
function safeWord(text: string): string {
  return text.replaceAll(/[^\w:.-]/g, '_')
}
