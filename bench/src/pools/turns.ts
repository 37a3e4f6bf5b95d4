/** The longest turn of the event loop, in milliseconds, from now until `over` resolves. */
export async function monitorTurns(over: Promise<void>): Promise<number> {
  let longest = 0
  let before = performance.now()
  let isOver = false
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - before)
    before = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  await over
  isOver = true
  look()
  return longest
}
