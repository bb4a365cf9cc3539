/** The contract that every metric keeps, over made-up requests. What is yours alone is tested in metric.test.ts. */
import { test } from 'node:test'
import { metricContract } from '@plimsoll/testkit'
import { metric } from './index.js'

for (const { title, run } of metricContract(metric, { settings: [{ tokens: 1 }] })) await test(title, run)
