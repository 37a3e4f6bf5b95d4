/** A plain object of `values` by `names`; of two of one name the last wins, and `__proto__` is a name like any other. */
export function nameValues(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const named: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    if (name === '__proto__') {
      Object.defineProperty(named, name, {
        value: values[i],
        configurable: true,
        enumerable: true,
        writable: true,
      })
    } else named[name] = values[i]
  }
  return named
}
