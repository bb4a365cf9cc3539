import type { AttachSource } from '../topology/index.js'
import type { SourceContext, SourceEvents, SourceWatch } from './source.js'
import { watchDns } from './watch-dns.js'
import { watchFile } from './watch-file.js'
import { watchKubernetes } from './watch-kubernetes.js'
import { watchSrv } from './watch-srv.js'

/** Watches a source of any kind. */
export function watchSource(source: AttachSource, context: SourceContext, events: SourceEvents): SourceWatch {
  switch (source.kind) {
    case 'dns':
      return watchDns(source, context, events)
    case 'srv':
      return watchSrv(source, context, events)
    case 'file':
      return watchFile(source, context, events)
    case 'kubernetes':
      return watchKubernetes(source, context, events)
  }
}
