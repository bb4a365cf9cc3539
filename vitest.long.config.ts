import { defineConfig } from 'vitest/config'

/** The promises that need an idle machine and minutes: loads, medians, memory. `npm run test:long`; not part of `npm test`. */
export default defineConfig({
  test: { include: ['test/long/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 120_000, maxWorkers: 1 },
})
