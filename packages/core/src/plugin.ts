/** `@plimsoll/core/plugin`: all that an engine or strategy plugin may import from Plimsoll. */
export type {
  AnswerClass,
  Backend,
  BeliefView,
  Candidate,
  Detection,
  Dialect,
  EnginePlugin,
  Face,
  HeaderRules,
  HeaderView,
  HostResponse,
  JsonSchema,
  LaunchPlan,
  LaunchSlot,
  Logger,
  NodeSpec,
  PluginHost,
  ProbeReport,
  RequestFacts,
  StopStep,
  Strategy,
  StrategyContext,
  StrategyPlugin,
  Usage,
} from './contracts/index.js'
export { LbError, isLbError } from './errors/index.js'
export { openaiBase, type OpenAiBase, openaiDialect, probeOpenAi } from './dialects/index.js'
export { onPath } from './machines/index.js'
