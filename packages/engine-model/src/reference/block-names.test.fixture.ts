import type { VirtualRun } from '../run-chain.js'
import type { VirtualRequest } from '../virtual-contract.js'

/** One number for each text that a block can end: no hashing that both engines could get wrong in the same way. */
export class BlockNames {
  private readonly numbers = new Map<string, number>()

  constructor(private readonly blockTokens: number) {}

  of({ promptRuns, promptTokens, outputTokens, answerId }: Omit<VirtualRequest, 'key'>): number[] {
    const names: number[] = []
    let text = ''
    let end = 0
    const append = ({ id, tokens }: VirtualRun) => {
      const begin = names.length
      end += tokens
      for (let index = begin; index < Math.floor(end / this.blockTokens); index++) names.push(this.number(`${text}/${id}#${index - begin}`))
      text += `/${id}:${tokens}`
    }
    for (const run of promptRuns) append(run)
    if (answerId !== undefined && end === promptTokens) append({ id: answerId, tokens: outputTokens })
    return names
  }

  private number(name: string): number {
    const number = this.numbers.get(name) ?? this.numbers.size + 1
    this.numbers.set(name, number)
    return number
  }
}
