/**
 * Owns the table of commands: flags, help, one service call each. Refuses to know how anything is done; heavy imports belong into `run()`.
 * Read first: status.ts.
 */
import Ask from './ask.js'
import Config from './config.js'
import Down from './down.js'
import Engines from './engines.js'
import Gpus from './gpus.js'
import Init from './init.js'
import InitPlugin from './init/plugin.js'
import Logs from './logs.js'
import Models from './models/index.js'
import ModelsPull from './models/pull.js'
import NodesDrain from './nodes/drain.js'
import NodesList from './nodes/list.js'
import NodesRestart from './nodes/restart.js'
import NodesResume from './nodes/resume.js'
import Paths from './paths.js'
import Plan from './plan.js'
import PluginsInstall from './plugins/install.js'
import PluginsLink from './plugins/link.js'
import PluginsUninstall from './plugins/uninstall.js'
import Purge from './purge.js'
import QuarantineLift from './quarantine/lift.js'
import QuarantineList from './quarantine/list.js'
import Replay from './replay.js'
import { rolloutCommands } from './rollout/index.js'
import Scale from './scale.js'
import Simulate from './simulate.js'
import Status from './status.js'
import Strategies from './strategies.js'
import Top from './top.js'
import Tune from './tune.js'
import Unload from './unload.js'
import Up from './up.js'
import Why from './why.js'

export const commands = {
  ask: Ask,
  config: Config,
  down: Down,
  engines: Engines,
  gpus: Gpus,
  init: Init,
  'init:plugin': InitPlugin,
  logs: Logs,
  models: Models,
  'models:pull': ModelsPull,
  'nodes:drain': NodesDrain,
  'nodes:list': NodesList,
  'nodes:restart': NodesRestart,
  'nodes:resume': NodesResume,
  paths: Paths,
  plan: Plan,
  'plugins:install': PluginsInstall,
  'plugins:link': PluginsLink,
  'plugins:uninstall': PluginsUninstall,
  purge: Purge,
  'quarantine:lift': QuarantineLift,
  'quarantine:list': QuarantineList,
  replay: Replay,
  ...rolloutCommands,
  scale: Scale,
  simulate: Simulate,
  status: Status,
  strategies: Strategies,
  top: Top,
  tune: Tune,
  unload: Unload,
  up: Up,
  why: Why,
}
