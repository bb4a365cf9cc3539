import type { AttachSource } from '../topology/index.js'
import type { SourceContext, SourceEvents, SourceWatch } from './source.js'
import { watchDns } from './watch-dns.js'
import { watchFile } from './watch-file.js'
import { watchKubernetes } from './watch-kubernetes.js'
import { watchSrv } from './watch-srv.js'

/** Watches a source of any kind. */
export function watchSource(source: AttachSource, context: SourceContext, events: SourceEvents): SourceWatch {
  if (source.kind === 'dns') return watchDns(source, context, events)
  if (source.kind === 'srv') return watchSrv(source, context, events)
  return source.kind === 'file' ? watchFile(source, context, events) : watchKubernetes(source, context, events)
}
