import { Type } from 'typebox'
import { mapOf, section, word } from './schema-parts.js'
import { namePattern } from './name-pattern.js'

const host = section(
  {
    ssh: word('[user@]host[:port], or a name of your ssh configuration.', 'an address such as me@10.0.0.7'),
    sshConfig: Type.Optional(word('An ssh configuration file in the place of your own; relative paths start at the topology file.')),
    venv: Type.Optional(word('A Python virtual environment over there whose commands come first; an absolute path.')),
    reach: Type.Optional(
      Type.Union(
        [
          Type.Literal('tunnel', { description: 'A port that ssh forwards.' }),
          Type.Literal('direct', { description: 'The address itself.' }),
        ],
        {
          description:
            'How engines there are reached: by a port that ssh forwards, or directly at their address, with a key that lb makes for each; the way there is not encrypted.',
          default: 'tunnel',
          errorMessage: 'tunnel or direct',
        },
      ),
    ),
    address: Type.Optional(
      word(
        'Where engines listen with reach: direct; an address of a network that you trust. Default: the host of ssh.',
        'an address such as 10.0.0.7',
      ),
    ),
    zone: Type.Optional(word('Where it stands; node groups launched there that give no `zone` of their own have this one.')),
    models: Type.Optional(word('The folder over there in which a `launch.model` that starts with ./ lies; an absolute path.')),
  },
  { description: 'Another machine, reached by the ssh of this one. Nothing is installed there.' },
)

/** Machines by name. */
export const hosts = mapOf(host, {
  description: 'Other machines on which engines are launched, by name; node groups name them under `ssh`.',
  expected: 'names with { ssh: ... }',
  names: { pattern: namePattern, expected: 'lower-case letters, digits and hyphens, such as gpu-box' },
})
