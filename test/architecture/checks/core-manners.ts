/** A library starts nothing and prints nothing, and core knows no engine by name. */
import { isTest, type Check, type SourceFile } from '../source-file.js'
import { codeOnly, withoutComments } from '../strip.js'

const engineName = /\b(vllm|llama-?cpp|llama-server|ollama|sglang)\b/i
const hostActs = /(?<![.\w$])(console\s*\.\s*\w+|process\s*\.\s*(?:exit|on|once|abort|exitCode|stdout|stderr|chdir)\b)/

const isCore = ({ path }: SourceFile) => path.startsWith('packages/core/src/') && !isTest(path)

export const noEngineNames: Check = (files) =>
  files.filter(isCore).flatMap(({ path, text }) => {
    const found = engineName.exec(withoutComments(text))
    return found === null ? [] : [{ path, message: `names the engine ${found[0]}; what only one engine needs stands in its plugin` }]
  })

export const noHostActs: Check = (files) =>
  files.filter(isCore).flatMap(({ path, text }) => {
    const found = hostActs.exec(codeOnly(text))
    return found === null ? [] : [{ path, message: `uses ${found[0]}; the program that holds the balancer decides that` }]
  })
