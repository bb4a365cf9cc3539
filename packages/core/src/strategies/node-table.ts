import type { Candidate } from '../contracts/index.js'

/**
 * What a strategy remembers of each node, by the node's row: no more entries than there are rows, however many nodes come and go. Another node on the row,
 * or another process behind the same node, begins anew.
 */
export class NodeTable<T> {
  private readonly rows: (Row<T> | undefined)[] = []

  constructor(private readonly begin: (node: Candidate) => T) {}

  /** Of a node that is a candidate now. */
  of(node: Candidate): T {
    const row = this.rows[node.index]
    return row !== undefined && isSame(row, node) ? row.memory : this.beginRow(node)
  }

  /** Of a node that was chosen earlier; undefined once its row belongs to another. */
  known(node: Candidate): T | undefined {
    const row = this.rows[node.index]
    return row !== undefined && isSame(row, node) ? row.memory : undefined
  }

  /** The node has left. */
  forget({ id, index }: { readonly id: string; readonly index: number }): void {
    if (this.rows[index]?.id === id) this.rows[index] = undefined
  }

  private beginRow(node: Candidate): T {
    const memory = this.begin(node)
    this.rows[node.index] = { id: node.id, incarnation: node.incarnation, memory }
    return memory
  }
}

interface Row<T> {
  readonly id: string
  readonly incarnation: number | undefined
  readonly memory: T
}

function isSame(row: Row<unknown>, node: Candidate): boolean {
  return row.id === node.id && row.incarnation === node.incarnation
}
