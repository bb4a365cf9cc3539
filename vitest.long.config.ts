import { defineConfig } from 'vitest/config'

/** The promises that need an idle machine and minutes: loads, medians, memory. `npm run test:long`; not part of `npm test`. */
export default defineConfig({
  test: {
    include: [
      'test/long/**/*.test.ts',
      'test/e2e/{hung-nodes,poison-requests,streams-survive,gpu-health,residency,rollout-commands,rollout-weights,leftovers,data-threads,retries,autoscale,ejection,warm-up}.test.ts',
    ],
    env: { LB_TEST_LONG: '1' },
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
})
