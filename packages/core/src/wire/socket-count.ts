const CLIENTS = 0
const ENGINES = 1
const FIELDS = 2

/** Sockets that a process may have open. */
export interface SocketRoom {
  /** Before it takes no new client: what is over that is for those who are in. */
  readonly most: number
  /** Before it opens no connection to an engine either: what is over that is for probes and operators. */
  readonly mostWithEngines: number
}

const ANY_NUMBER: SocketRoom = { most: Infinity, mostWithEngines: Infinity }

export interface SocketCountOptions {
  /** Threads that count; each writes cells of its own, everyone reads the sum. */
  readonly threads?: number
  /** Which of them this is. */
  readonly thread?: number
  /** Cells that another thread made. */
  readonly buffer?: SharedArrayBuffer | undefined
  /** What the process may have open, all threads together; default: no limit. */
  readonly room?: SocketRoom | undefined
}

/** How many sockets the data threads of one process have open together: a limit that each of them kept by itself would hold as many times as there are threads. */
export class SocketCount {
  /** What another thread needs to join. */
  readonly buffer: SharedArrayBuffer
  readonly room: SocketRoom
  private readonly cells: Int32Array
  private readonly own: number

  constructor({ threads = 1, thread = 0, buffer, room = ANY_NUMBER }: SocketCountOptions = {}) {
    this.buffer = buffer ?? new SharedArrayBuffer(4 * FIELDS * threads)
    this.room = room
    this.cells = new Int32Array(this.buffer)
    this.own = FIELDS * thread
  }

  /** Connections of clients, at all threads. */
  get clients(): number {
    return this.sum(CLIENTS)
  }

  /** No descriptor is left for another client. */
  get isFull(): boolean {
    return this.reaches(this.room.most)
  }

  /** Nor for another connection to an engine. */
  get isSpent(): boolean {
    return this.reaches(this.room.mostWithEngines)
  }

  addClient(change: 1 | -1): void {
    Atomics.add(this.cells, this.own + CLIENTS, change)
  }

  addEngine(change: 1 | -1): void {
    Atomics.add(this.cells, this.own + ENGINES, change)
  }

  /** Counts out what a dead thread had counted in: its sockets went with it. */
  clearThread(dead: number): void {
    for (let field = 0; field < FIELDS; field += 1) Atomics.store(this.cells, FIELDS * dead + field, 0)
  }

  private reaches(most: number): boolean {
    return this.sum(CLIENTS) + this.sum(ENGINES) >= most
  }

  private sum(field: number): number {
    let total = 0
    for (let cell = field; cell < this.cells.length; cell += FIELDS) total += Atomics.load(this.cells, cell)
    return total
  }
}
