import type { Request } from './request.ts'

/** A list of requests in order. */
export class RequestQueue {
  first: Request | undefined
  #last: Request | undefined

  push(request: Request): void {
    request.next = undefined
    if (this.#last === undefined) this.first = request
    else this.#last.next = request
    this.#last = request
  }

  unshift(request: Request): void {
    request.next = this.first
    this.first = request
    this.#last ??= request
  }

  shift(): Request | undefined {
    const request = this.first
    if (request !== undefined) {
      this.first = request.next
      if (this.first === undefined) this.#last = undefined
      request.next = undefined
    }
    return request
  }

  remove(request: Request): boolean {
    let before: Request | undefined
    for (let at = this.first; at !== undefined; before = at, at = at.next) {
      if (at !== request) continue
      if (before === undefined) this.first = at.next
      else before.next = at.next
      if (this.#last === at) this.#last = before
      at.next = undefined
      return true
    }
    return false
  }

  *[Symbol.iterator](): Generator<Request> {
    for (let at = this.first; at !== undefined; at = at.next) yield at
  }
}
