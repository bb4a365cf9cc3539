import type { RolloutStatus } from '@plimsoll/core/client'

export interface RolloutDrawer {
  draw(status: RolloutStatus, silence?: string): void
  /** Leaves the cursor below what was drawn; with a status, all of that stands there. */
  end(status?: RolloutStatus): void
}

/** Draws a rollout over the whole terminal, again whenever that would look different. */
export async function rolloutDrawer(stdout: NodeJS.WriteStream): Promise<RolloutDrawer> {
  const { rolloutScreen } = await import('../views/rollout-screen.js')
  const { rolloutText } = await import('../views/rollout-text.js')
  let drawn = ''
  return {
    draw(status, silence) {
      const screen = rolloutScreen(status, { nowMs: Date.now(), columns: stdout.columns, rows: stdout.rows, silence })
      if (screen !== drawn) stdout.write(screen)
      drawn = screen
    },
    end(status) {
      if (drawn === '') return
      stdout.write(status === undefined ? '\n' : `\u001b[H\u001b[J${rolloutText(status, { nowMs: Date.now(), columns: stdout.columns })}`)
    },
  }
}
