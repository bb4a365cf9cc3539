import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Unit tests run from src; whole-house tests in test/ run the built binary. */
const alias = {
  '@plimsoll/core/client': at('packages/core/src/client.ts'),
  '@plimsoll/core/keeper': at('packages/core/src/keeper.ts'),
  '@plimsoll/core/routing': at('packages/core/src/routing.ts'),
  '@plimsoll/core/plugin': at('packages/core/src/plugin.ts'),
  '@plimsoll/core': at('packages/core/src/index.ts'),
  '@plimsoll/engine-model': at('packages/engine-model/src/index.ts'),
  '@plimsoll/simulate': at('packages/simulate/src/index.ts'),
  '@plimsoll/testkit': at('packages/testkit/src/index.ts'),
}

/** A file waits for sockets and clocks a third of its time: two on two cores, where vitest would take one. */
const together = { maxWorkers: Math.max(2, availableParallelism() - 1), sequence: { groupOrder: 2 } }

/** `.ci/run` sums the tests from this file. */
const report = process.env['LB_TEST_REPORT']

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        resolve: { alias },
        test: { name: 'unit', include: ['packages/*/src/**/*.test.{ts,tsx}'], testTimeout: 20_000, hookTimeout: 20_000, ...together },
      },
      { test: { name: 'house', include: ['test/architecture/**/*.test.ts'], testTimeout: 60_000, ...together } },
      { test: { name: 'hostile', include: ['test/hostile/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 30_000, maxWorkers: 3 } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/examples/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // Each has a house of its own and mostly waits: a third of a core each.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        /** Against real engines where the environment names some: docs/extending/real-engines.md. */
        test: { name: 'engines', include: ['test/engines/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 180_000, maxWorkers: 1 },
      },
    ],
  },
})
