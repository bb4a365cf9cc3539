import { type KeptModel, LbError } from '@plimsoll/core/plugin'
import { type EngineQuestions, expectGood } from './ask-engine.js'
import { readServedModels } from './served-models.js'
import type { VllmSettings } from './settings.js'

/** The models of one running vLLM: one base under its names, and adapters (LoRA) that come and go where `runtimeLoras` allows it. */
export class Adapters {
  constructor(
    private readonly ask: EngineQuestions,
    private readonly settings: VllmSettings,
  ) {}

  async list(signal: AbortSignal): Promise<readonly KeptModel[]> {
    const answer = await this.ask.models(signal)
    expectGood(answer, 'list its models', 'see `lb status` for the state of the node')
    const served = readServedModels(answer.text)
    const names = served?.names ?? []
    const contextTokens = served?.contextTokens
    const unloaded = Object.keys(this.settings.loras ?? {}).filter((name) => !names.includes(name))
    return [
      ...names.map((name) => ({ name, loaded: true, ...(contextTokens === undefined ? {} : { contextTokens }) })),
      ...unloaded.map((name) => ({ name, loaded: false })),
    ]
  }

  /** `NAME` of the topology's `loras`, or `NAME=PATH`. One that is there already is fine. */
  async load(model: string, signal: AbortSignal): Promise<void> {
    const { name, path } = this.pathOf(model)
    const answer = await this.ask.post('/v1/load_lora_adapter', signal, { lora_name: name, lora_path: path })
    if (answer.status === 400 && /already/i.test(answer.text)) return
    expectGood(
      answer,
      `load the adapter \`${name}\``,
      answer.status === 404 ? switchedOff : 'the folder must be readable where vLLM runs, its rank at most maxLoraRank',
    )
  }

  /** One that is not there is fine; the base model cannot go. */
  async unload(model: string, signal: AbortSignal): Promise<void> {
    const { name } = splitName(model)
    const answer = await this.ask.post('/v1/unload_lora_adapter', signal, { lora_name: name })
    if (answer.status === 404 && answer.text.includes('NotFoundError')) return
    expectGood(answer, `unload the adapter \`${name}\``, answer.status === 404 ? switchedOff : 'see the log of the node')
  }

  private pathOf(model: string): { readonly name: string; readonly path: string } {
    const { name, path = this.settings.loras?.[name] } = splitName(model)
    if (path !== undefined) return { name, path }
    throw new LbError(`no path is known for the adapter \`${name}\``, {
      code: 'LB_UNKNOWN_ADAPTER',
      source: 'operator',
      hint: 'write NAME=PATH, or name it under launch.args.loras',
    })
  }
}

const switchedOff = 'set runtimeLoras: true (VLLM_ALLOW_RUNTIME_LORA_UPDATING) and start it anew'

function splitName(model: string): { readonly name: string; readonly path?: string } {
  const at = model.indexOf('=')
  return at === -1 ? { name: model } : { name: model.slice(0, at), path: model.slice(at + 1) }
}
