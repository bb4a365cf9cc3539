import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'

/** Each mistake: the file, and the place and words of each problem, in order. `line:column message`. */
const mistakes: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
  [
    'an unknown key of the top',
    'polls: {}\npools: {a: {nodes: [{engine: ollama}]}}',
    ['1:1 `polls` is not a key of the topology; did you mean pools'],
  ],
  ['a key that stands twice', 'pools:\n  a: {nodes: [{engine: ollama}]}\n  a: {nodes: [{engine: ollama}]}', ['3:3 this key stands twice']],
  ['no pools', 'version: 1', ['1:1 `pools` is missing in the topology']],
  ['empty pools', 'pools: {}', ['1:8 pools is empty']],
  ['an empty file', '', ['1:1 the topology cannot be empty']],
  ['a list at the top', '- 1', ['1:1 the topology cannot be a list']],
  ['another version', 'version: 2\npools: {a: {nodes: [{engine: ollama}]}}', ['1:10 version cannot be `2`']],
  ['no nodes', 'pools:\n  a:\n    models: [m]', ['2:3 `nodes` is missing in pool a']],
  ['empty nodes', 'pools:\n  a:\n    nodes: []', ['3:12 nodes is empty']],
  ['a pool name with a capital', 'pools:\n  Chat: {nodes: [{engine: ollama}]}', ['2:3 `Chat` cannot be a name in pools']],
  ['a group name with a dot', 'pools: {a: {nodes: [{engine: ollama, name: a.b}]}}', ['1:44 name cannot be `a.b`']],
  ['a node without an engine', 'pools:\n  a:\n    nodes:\n      - name: x', ['4:9 `engine` is missing in nodes[0] of pool a']],
  [
    'an engine that nobody brings',
    'pools:\n  a:\n    nodes:\n      - engine: sglang',
    [
      '4:17 pool a: no engine plugin brings `sglang`; hint lb plugins install lb-plugin-sglang   (installed: sim, vllm, llamacpp, ollama, openai)',
    ],
  ],
  ['a misspelt engine', 'pools: {a: {nodes: [{engine: olama}]}}', ['1:30 pool a: no engine plugin brings `olama`; did you mean ollama']],
  [
    'a misspelt strategy',
    'pools:\n  a:\n    strategy: round-robbin\n    nodes: [{engine: ollama}]',
    ['3:15 pool a: there is no strategy `round-robbin`; did you mean round-robin'],
  ],
  [
    'a setting that the strategy lacks',
    'pools:\n  a:\n    strategy: {name: two-choices, bye: tokens}\n    nodes: [{engine: ollama}]',
    ['3:35 strategy two-choices: `bye` is not a key of strategy; did you mean by'],
  ],
  ['replicas of zero', 'pools: {a: {nodes: [{engine: sim, launch: {replicas: 0}}]}}', ['1:54 replicas cannot be `0`']],
  ['too many replicas', 'pools: {a: {nodes: [{engine: sim, launch: {replicas: 1025}}]}}', ['1:54 replicas cannot be `1025`']],
  ['replicas as a text', 'pools: {a: {nodes: [{engine: sim, launch: {replicas: "2"}}]}}', ['1:54 replicas cannot be a text']],
  [
    'a key that launch lacks',
    'pools:\n  a:\n    nodes:\n      - engine: sim\n        launch:\n          replica: 2',
    ['6:11 `replica` is not a key of launch; did you mean replicas'],
  ],
  [
    'a setting that the engine lacks',
    'pools: {a: {nodes: [{engine: sim, launch: {args: {profil: instant}}}]}}',
    ['1:51 engine sim: `profil` is not a key of args; did you mean profile'],
  ],
  [
    'a setting with a wrong value',
    'pools: {a: {nodes: [{engine: sim, launch: {args: {profile: instnt}}}]}}',
    ['1:60 engine sim: profile cannot be `instnt`; did you mean instant'],
  ],
  ['settings that are no map', 'pools: {a: {nodes: [{engine: sim, launch: {args: [1]}}]}}', ['1:50 args cannot be a list']],
  [
    'launch and attach',
    'pools: {a: {nodes: [{engine: sim, launch: {}, attach: "http://a:1"}]}}',
    ['1:47 pool a: a node group has either launch or attach, not both'],
  ],
  [
    'launch where it does not work',
    'pools: {a: {nodes: [{engine: openai, launch: {}}]}}',
    ['1:38 pool a: the plugin of `openai` cannot launch it yet'],
  ],
  ['neither launch nor attach', 'pools: {a: {nodes: [{engine: openai}]}}', ['1:30 pool a: `openai` needs attach: URL']],
  [
    'an address that is no URL',
    'pools: {a: {nodes: [{engine: vllm, attach: "localhost:8000"}]}}',
    ['1:44 pool a: `localhost:8000` is not a URL'],
  ],
  [
    'an address of another scheme',
    'pools: {a: {nodes: [{engine: vllm, attach: "ftp://a/"}]}}',
    ['1:44 pool a: `ftp://` is not spoken here'],
  ],
  [
    'credentials in an address',
    'pools: {a: {nodes: [{engine: vllm, attach: "http://u:pw@a/"}]}}',
    ['1:44 pool a: the URL holds credentials'],
  ],
  ['a query in an address', 'pools: {a: {nodes: [{engine: vllm, attach: "http://a/?k=1"}]}}', ['1:44 pool a: the URL holds a query']],
  [
    'two groups of one name',
    'pools:\n  a:\n    nodes:\n      - {engine: vllm, name: x}\n      - {engine: ollama, name: x}',
    ['5:32 pool a: two node groups are named `x`'],
  ],
  [
    'a group named like a replica',
    'pools:\n  a:\n    nodes:\n      - {engine: sim, launch: {replicas: 2}}\n      - {engine: ollama, name: sim-1}',
    ['5:32 pool a: two nodes would be named `sim-1`'],
  ],
  [
    'one model in two pools',
    'pools:\n  a: {models: [m], nodes: [{engine: ollama}]}\n  b: {models: [k, m], nodes: [{engine: ollama}]}',
    ['3:19 the model `m` is served by pool a and by pool b'],
  ],
  [
    'a model that is another pool’s name',
    'pools:\n  a: {models: [b], nodes: [{engine: ollama}]}\n  b: {nodes: [{engine: ollama}]}',
    ['3:3 the model `b` is served by pool a and by pool b'],
  ],
  ['a model listed twice', 'pools: {a: {models: [m, m], nodes: [{engine: ollama}]}}', ['1:25 pool a: the model `m` is listed twice']],
  ['a duration without a unit', 'pools: {a: {drain: 60, nodes: [{engine: ollama}]}}', ['1:20 drain cannot be a number']],
  ['a duration with a space', 'pools: {a: {drain: 60 s, nodes: [{engine: ollama}]}}', ['1:20 drain cannot be `60 s`']],
  ['a probe loop without a pause', 'pools: {a: {health: {interval: 0s}, nodes: [{engine: ollama}]}}', ['1:32 interval cannot be `0s`']],
  ['too many retries', 'pools: {a: {retries: {max: 101}, nodes: [{engine: ollama}]}}', ['1:28 max cannot be `101`']],
  ['a hedge for everybody', 'pools: {a: {retries: {hedge: {most: 150%}}, nodes: [{engine: ollama}]}}', ['1:37 most cannot be `150%`']],
  ['a pause of nothing', 'pools: {a: {retries: {pause: {first: 0s}}, nodes: [{engine: ollama}]}}', ['1:38 first cannot be `0s`']],
  ['a weight of zero', 'pools: {a: {nodes: [{engine: ollama, weight: 0}]}}', ['1:46 weight cannot be `0`']],
  ['a weight that is no number', 'pools: {a: {nodes: [{engine: ollama, weight: .nan}]}}', ['1:46 weight cannot be a number']],
  ['a listener that is no address', 'gateway: {listen: 8484}\npools: {a: {nodes: [{engine: ollama}]}}', ['1:19 listen cannot be a number']],
  [
    'a socket path that no system takes',
    `gateway: {listen: "unix:/${'x'.repeat(103)}"}\npools: {a: {nodes: [{engine: ollama}]}}`,
    ['1:19 the socket path'],
  ],
  [
    'a port beyond the last',
    'gateway: {listen: "127.0.0.1:65536"}\npools: {a: {nodes: [{engine: ollama}]}}',
    ['1:19 `127.0.0.1:65536` is not an address'],
  ],
  [
    'one listener twice',
    'gateway:\n  listen:\n    - 127.0.0.1:1\n    - 127.0.0.1:1\npools: {a: {nodes: [{engine: ollama}]}}',
    ['4:7 `127.0.0.1:1` is listed twice'],
  ],
  [
    'an open listener that nobody meant',
    'gateway:\n  listen: [127.0.0.1:1, "0.0.0.0:8484"]\npools: {a: {nodes: [{engine: ollama}]}}',
    ['2:25 `0.0.0.0:8484` can be reached by others'],
  ],
  ['too many data threads', 'gateway: {workers: 65}\npools: {a: {nodes: [{engine: ollama}]}}', ['1:20 workers cannot be `65`']],
  ['data threads in a word', 'gateway: {workers: many}\npools: {a: {nodes: [{engine: ollama}]}}', ['1:20 workers cannot be a text']],
  [
    'trusted proxies that are no addresses',
    'gateway:\n  trustedProxies: [10.0.0.0/33, proxy.local, "fd00::/8", unix]\npools: {a: {nodes: [{engine: ollama}]}}',
    ['2:20 `10.0.0.0/33` is neither an address nor a network', '2:33 `proxy.local` is neither an address nor a network'],
  ],
  [
    'origins that no browser sends',
    'gateway: {cors: {origins: ["http://a/b", "https://A:443", "*", "http://*.a", "null"]}}\npools: {a: {nodes: [{engine: ollama}]}}',
    [
      '1:28 `http://a/b` is not an origin',
      '1:42 `https://A:443` is not an origin as browsers send it; did you mean https://a',
      '1:59 every origin is not one of a list',
      '1:64 `http://*.a` is not an origin',
      '1:78 `null` is not an origin',
    ],
  ],
  [
    'one origin without a list',
    'gateway: {cors: {origins: "http://a"}}\npools: {a: {nodes: [{engine: ollama}]}}',
    ['1:27 origins cannot be a text'],
  ],
  [
    'certificates that are not there',
    'gateway: {tls: {cert: no.pem, key: ../}}\npools: {a: {nodes: [{engine: ollama}]}}',
    ['1:23 cert: there is no file /srv/support-bot/no.pem', '1:36 key: '],
  ],
  [
    'a certificate without its key',
    'gateway: {tls: {cert: a}}\npools: {a: {nodes: [{engine: ollama}]}}',
    ['1:11 `key` is missing in tls', '1:23 cert: there is no file'],
  ],
  ['a heartbeat without a pause', 'gateway: {heartbeat: 5ms}\npools: {a: {nodes: [{engine: ollama}]}}', ['1:22 heartbeat cannot be `5ms`']],
  ['no connections', 'gateway: {maxConnections: 0}\npools: {a: {nodes: [{engine: ollama}]}}', ['1:27 maxConnections cannot be `0`']],
  ['a key in the file', 'gateway:\n  apiKeys: [sk-1]\npools: {a: {nodes: [{engine: ollama}]}}', ['2:13 apiKeys[0] is a literal secret']],
  ['a node’s key in the file', 'pools: {a: {nodes: [{engine: ollama, apiKey: sk-1}]}}', ['1:46 apiKey is a literal secret']],
  [
    'a key through a variable',
    'pools: {a: {nodes: [{engine: ollama, apiKey: "${K}"}]}}',
    ['1:46 apiKey is a literal secret; secrets never stand in the file; did you mean { env: K }'],
  ],
  [
    'a secret with two sources',
    'pools: {a: {nodes: [{engine: ollama, apiKey: {env: A, file: B}}]}}',
    ['1:46 apiKey holds too much (at most 1)'],
  ],
  [
    'a name that is too long',
    `pools: {a: {models: ["${'m'.repeat(1025)}"], nodes: [{engine: ollama}]}}`,
    ['1:22 models[0] is too long (1025 characters, at most 1024)'],
  ],
  [
    'a token in the environment of a process',
    'pools: {a: {nodes: [{engine: sim, launch: {env: {HF_TOKEN: hf_1}}}]}}',
    ['1:60 HF_TOKEN looks like a secret'],
  ],
  [
    'a variable that is not set',
    'pools:\n  a:\n    models: [m]\n    drain: ${DRAIN}\n    nodes: [{engine: ollama}]',
    ['4:12 the environment variable DRAIN is not set'],
  ],
  [
    'a variable inside a longer text',
    'pools: {a: {nodes: [{engine: vllm, attach: "http://${HOST}:${PORT}"}]}}',
    ['1:52 the environment variable HOST is not set', '1:60 the environment variable PORT is not set'],
  ],
  ['a broken reference', 'pools: {a: {models: ["${a b}"], nodes: [{engine: ollama}]}}', ['1:23 `${a b}` is not a reference']],
  ['an unknown tag', 'pools: {a: {models: [!x m], nodes: [{engine: ollama}]}}', ['1:22 YAML tags are not known here']],
  ['an anchor that is not there', 'pools: {a: *b}', ['1:12 no anchor &b']],
  ['a key into JavaScript', 'pools: {a: {nodes: [{engine: ollama}]}}\n__proto__: {x: 1}', ['2:1 `__proto__` is not allowed as a key']],
  ['a key that is a list', '? [a]\n: 1\npools: {a: {nodes: [{engine: ollama}]}}', ['1:3 a key must be a plain word']],
  ['two documents', 'pools: {a: {nodes: [{engine: ollama}]}}\n---\nx: 1', ['2:1 the file holds more than one YAML document']],
  ['YAML 1.1', '%YAML 1.1\n---\npools: {a: {nodes: [{engine: ollama}]}}', ['1:1 only YAML 1.2 is read']],
  ['a tab for indentation', 'pools:\n\ta: 1', ['2:1 not valid YAML']],
  ['an unclosed bracket', 'pools: {a: [', ['1:13 not valid YAML']],
  ['a reference without quotes in a flow map', 'pools: {a: {drain: ${D}, nodes: [{engine: ollama}]}}', ['1:21 not valid YAML']],
  [
    'a misspelt key that is required',
    'pools: {a: {strategy: {nam: two-choices}, nodes: [{engin: ollama}]}}',
    ['1:24 `nam` is not a key of strategy; did you mean name', '1:52 `engin` is not a key of nodes[0] of pool a; did you mean engine'],
  ],
  [
    'settings of a strategy without its name',
    'pools:\n  a:\n    strategy:\n      by: tokens\n    nodes: [{engine: ollama}]',
    ['4:7 `name` is missing in strategy'],
  ],
  [
    'settings of a strategy without its name, in one line',
    'pools: {a: {strategy: {by: tokens}, nodes: [{engine: ollama}]}}',
    ['1:23 `name` is missing in strategy'],
  ],
  ['a union of neither kind', 'pools: {a: {strategy: [x], nodes: [{engine: ollama}]}}', ['1:23 strategy cannot be a list']],
  [
    'a wrong key inside a union',
    'gateway: {requestLog: {file: a, maxsize: 1MiB}}\npools: {a: {nodes: [{engine: ollama}]}}',
    ['1:33 `maxsize` is not a key of requestLog; did you mean maxSize'],
  ],
]

describe('a mistake', () => {
  it.each(mistakes)('%s is told at its line and column', async (_, text, expected) => {
    const { problems } = await errorsOf(resolveText(text))
    const told = problems.map(({ line, column, message, suggestion, hint }) => {
      return `${line}:${column} ${message}${suggestion === undefined ? '' : `; did you mean ${suggestion}`}${hint === undefined ? '' : `; hint ${hint}`}`
    })
    expect(told).toHaveLength(expected.length)
    for (const [index, words] of expected.entries()) expect(told[index]).toContain(words)
  })
})

describe('what is missing', () => {
  it('is named beside the caret, below the map that lacks it', async () => {
    const text = 'pools:\n  a:\n    strategy:\n      by: tokens\n    nodes: [{engine: ollama}]'
    expect((await errorsOf(resolveText(text))).render()).toContain(`    3 |     strategy:
    4 |       by: tokens
      |       ^^^^^^^^^^ expected name: a strategy such as least-requests`)
  })
})

describe('six mistakes', () => {
  const text = [
    'version: 1',
    'gateway:',
    '  listen: 0.0.0.0:8484',
    'pools:',
    '  chat:',
    '    strategy: least-token',
    '    nodes:',
    '      - name: gpu',
    '        engine: sglang',
    '      - name: sims',
    '        engine: sim',
    '        launch:',
    '          replica: 2',
    '          args: { profile: fast }',
    '    drain: soon',
  ].join('\n')

  it('are told all at once, in the order of the file, and leave everything as it was', async () => {
    expect((await errorsOf(resolveText(text))).render())
      .toBe(`lb.yaml:3:11  error  \`0.0.0.0:8484\` can be reached by others and no key is asked for
    2 | gateway:
    3 |   listen: 0.0.0.0:8484
      |           ^^^^^^^^^^^^
      hint: add apiKeys: [{ env: LB_API_KEY }] to gateway, or open: true if that is meant
lb.yaml:6:15  error  pool chat: there is no strategy \`least-token\`
    5 |   chat:
    6 |     strategy: least-token
      |               ^^^^^^^^^^^ did you mean \`least-tokens\`?
lb.yaml:9:17  error  pool chat: no engine plugin brings \`sglang\`
    8 |       - name: gpu
    9 |         engine: sglang
      |                 ^^^^^^
      hint: lb plugins install lb-plugin-sglang   (installed: sim, vllm, llamacpp, ollama, openai)
lb.yaml:13:11  error  \`replica\` is not a key of launch
    12 |         launch:
    13 |           replica: 2
       |           ^^^^^^^ did you mean \`replicas\`?
lb.yaml:14:28  error  engine sim: profile cannot be \`fast\`
    13 |           replica: 2
    14 |           args: { profile: fast }
       |                            ^^^^ expected one of instant, 8b-h100
lb.yaml:15:12  error  drain cannot be \`soon\`
    14 |           args: { profile: fast }
    15 |     drain: soon
       |            ^^^^ expected a duration such as 250ms, 30s or 5m
6 errors; nothing was changed.`)
  })
})

describe('what is shown of a file', () => {
  it('never holds the secret that someone wrote into it, also where the mistake is another one', async () => {
    const text =
      'pools:\n  a:\n    nodes:\n      - engine: ollama\n        apikey: sk-1234567\n      - engine: vllm\n        attach: http://user:hunter2@host/\n        apiKey: "sk-7654321"\n        wait: 1'
    const errors = await errorsOf(resolveText(text))
    for (const secret of ['1234567', 'hunter2', '7654321'])
      expect(errors.render() + errors.message + JSON.stringify(errors.problems)).not.toContain(secret)
  })

  it('holds no control characters of the file', async () => {
    const shown = (await errorsOf(resolveText('pools: {}\n"x\\e[31m\u009b31m": 1'))).render()
    expect(shown.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})
