/** Sums vitest's JSON result and the last line of scripts/check into `N passed, N failed`; fails when anything failed or did not run. Runs on Node.js 20. */
import { existsSync, readFileSync } from 'node:fs'

const [testsPath, checksPath] = process.argv.slice(2)
const tests = testCounts()
const checks = checkCounts()
const failed = tests.failed + checks.failed

process.stdout.write(`\ntests: ${tests.passed} passed, ${tests.failed} failed; checks: ${checks.passed} passed, ${checks.failed} failed\n`)
const skipped = tests.skipped === 0 ? '' : `, ${tests.skipped} skipped`
process.stdout.write(`${tests.passed + checks.passed} passed, ${failed} failed${skipped}\n`)
process.exitCode = failed === 0 && tests.passed > 0 ? 0 : 1

/** A file that could not be loaded has no tests of its own to count: it counts as one that failed. */
function testCounts() {
  if (!existsSync(testsPath)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(testsPath, 'utf8'))
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((each) => each.status !== 'failed'),
  )
  const failures = report.numFailedTests + unloaded.length
  return {
    passed: report.numPassedTests,
    failed: failures === 0 && report.success !== true ? 1 : failures,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

function checkCounts() {
  const found = existsSync(checksPath) ? /^(\d+) checks passed, (\d+) failed$/m.exec(readFileSync(checksPath, 'utf8')) : null
  return found === null ? { passed: 0, failed: 1 } : { passed: Number(found[1]), failed: Number(found[2]) }
}
