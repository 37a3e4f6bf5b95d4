// Prints `N passed, N failed[, N skipped]` from vitest's JSON report; a file that did not load, and a run that
// failed without a failed test, count as one failure each.
import { readFileSync } from 'node:fs'

const [path, smoke, exitCode] = process.argv.slice(2)

let passed = 0
let failed = smoke === '0' ? 0 : 1
let skipped = 0
try {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  passed = report.numPassedTests
  failed += report.numFailedTests + unloaded.length
  skipped = report.numPendingTests + report.numTodoTests
} catch {
  // The checks before the tests failed: there is no report.
}
if (exitCode !== '0' && failed === 0) failed = 1

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
