/** Names that an engine inherits; documented in docs/guides/engine-environment.md. Everything else must be declared in `launch.env`. */
const INHERITED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'HF_HOME',
  'HF_HUB_CACHE',
  'HF_HUB_OFFLINE',
])
const INHERITED_PREFIXES = ['LC_', 'XDG_', 'CUDA_', 'NVIDIA_', 'ROCR_', 'HIP_', 'HSA_']

/** The same as patterns of a shell, for the login of another machine. */
export const inheritedPatterns: readonly string[] = [...INHERITED, ...INHERITED_PREFIXES.map((prefix) => `${prefix}*`)]

/** The environment of a launched engine: the documented base, then what is declared. Keys and tokens of the shell never leak into it by accident. */
export function baseEnvironment(declared: Readonly<Record<string, string>>, source: NodeJS.ProcessEnv): Record<string, string> {
  const inherited = Object.entries(source).flatMap(([name, value]) =>
    value !== undefined && isInherited(name) ? [[name, value] as const] : [],
  )
  return { ...Object.fromEntries(inherited), ...declared }
}

function isInherited(name: string): boolean {
  return INHERITED.has(name) || INHERITED_PREFIXES.some((prefix) => name.startsWith(prefix))
}
