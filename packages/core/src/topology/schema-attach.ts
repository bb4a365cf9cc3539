import { Type } from 'typebox'
import { duration, section, word } from './schema-parts.js'

const EXPECTED =
  'a URL such as http://127.0.0.1:8000, a list of them, unix:/path, or dns:HOST:PORT, srv:NAME, file:PATH, kubernetes:NAMESPACE/SERVICE'

const server = word(
  'Base URL of a server that already runs, or unix:PATH (absolute) for one behind a unix socket; a path stays as a prefix. Or a source that names servers while the balancer runs: dns:HOST:PORT, srv:NAME, file:PATH, kubernetes:NAMESPACE/SERVICE[:PORT].',
  EXPECTED,
)

const source = section(
  {
    from: word(
      'The source: dns:HOST:PORT, srv:NAME, file:PATH or kubernetes:NAMESPACE/SERVICE[:PORT].',
      'a source such as dns:models.internal:8000',
    ),
    every: Type.Optional(
      duration('How often it is asked (dns, srv, file). Absent: DNS as long as its answer may be kept, at most 30s; a file 1s.'),
    ),
    resolver: Type.Optional(word('Address of the DNS server to ask, such as 10.0.0.2:53 (dns, srv). Absent: those of the system.')),
    server: Type.Optional(
      word('Base URL of the API server (kubernetes). Absent: that of the kubeconfig, else of the cluster that lb runs in.'),
    ),
    tokenFile: Type.Optional(
      word('File that holds the token for the API server, read anew for each request; relative paths start at the topology file.'),
    ),
    caFile: Type.Optional(word('File with the certificates that vouch for the API server; relative paths start at the topology file.')),
    kubeconfig: Type.Optional(
      word('A kubeconfig file instead of the one that KUBECONFIG names; relative paths start at the topology file.'),
    ),
  },
  { description: 'A source with settings of its own.' },
)

/** Where servers that already run are. */
export const attach = Type.Union(
  [
    server,
    Type.Array(word('Base URL of a server.', EXPECTED), { description: 'Several servers, one node each.', minItems: 1, maxItems: 1024 }),
    source,
  ],
  {
    description:
      'Servers that already run: a URL, a list of URLs, or a source that names them while the balancer runs. Either this or launch; some engines have a default.',
    errorMessage: EXPECTED,
  },
)
