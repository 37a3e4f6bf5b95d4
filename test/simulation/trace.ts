/** What happened, in order, as a hash; and as lines, where somebody reads them. */
export class Trace {
  #low = 0x811c9dc5
  #high = 0x9e3779b9
  readonly #print: ((line: string) => void) | undefined

  constructor(print?: (line: string) => void) {
    this.#print = print
  }

  add(now: number, what: string, a: number | string = '', b: number | string = ''): void {
    this.#mix(Math.round(now * 1_000))
    this.#word(what)
    this.#part(a)
    this.#part(b)
    if (this.#print !== undefined) this.#print(`${now.toFixed(1).padStart(10)}  ${what} ${a} ${b}`.trimEnd())
  }

  get hash(): string {
    return hex(this.#low) + hex(this.#high)
  }

  #part(part: number | string): void {
    if (typeof part === 'number') this.#mix(part)
    else this.#word(part)
  }

  #word(text: string): void {
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i))
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ (value | 0), 0x01000193)
    this.#high = Math.imul(((this.#high << 13) | (this.#high >>> 19)) ^ (value | 0), 0x85ebca6b)
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}
