/** Where and with what a run was made. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, release } from 'node:os'
import { openFileLimit, pathOf, peerVersion } from './tools.js'

/** @returns {Readonly<Record<string, string>>} */
export function machine() {
  const changed = said('git', ['status', '--porcelain', '--', 'packages', 'test/bench']) === '' ? '' : ' with changes'
  return {
    date: new Date().toISOString(),
    commit: `${said('git', ['rev-parse', '--short', 'HEAD']) || 'unknown'}${changed}`,
    cpu: /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown',
    cores: String(availableParallelism()),
    kernel: release(),
    'open files': String(openFileLimit()),
    node: process.version,
    nginx: /[\d.]+$/m.exec(said('nginx', ['-v']))?.[0] ?? 'none',
    haproxy: /version (\S+)/.exec(said('haproxy', ['-v']))?.[1] ?? 'none',
    'http-proxy-3': peerVersion('http-proxy-3') ?? 'none',
    portkey: peerVersion('@portkey-ai/gateway') ?? 'none',
    wrk: /wrk (\S+)/.exec(said('wrk', ['-v']))?.[1] ?? 'none',
  }
}

/**
 * nginx tells its version on standard error, wrk with an exit code that is not 0.
 *
 * @param {string} program
 * @param {readonly string[]} args
 */
function said(program, args) {
  const path = pathOf(program)
  if (path === undefined) return ''
  return execFileSync('sh', ['-c', '"$@" 2>&1 || true', 'sh', path, ...args], { encoding: 'utf8' }).trim()
}
