export type Reported = ReadonlyMap<string, string>

/** The server's reported settings (ParameterStatus): server_version, TimeZone, … */
export class ReportedSettings {
  #current: Reported
  /** As they were before they changed for the first time since the session was as new. */
  #before: Reported | undefined

  /** @param atStart stays as it is: other sessions may have the same */
  constructor(atStart: Reported) {
    this.#current = atStart
  }

  /** As they are on the server. */
  get current(): Reported {
    return this.#current
  }

  /** What the next owner of a session will find, while those of the last one are still to be taken back. */
  get asNew(): Reported {
    return this.#before ?? this.#current
  }

  changed(name: string, value: string): void {
    if (this.#before === undefined) {
      this.#before = this.#current
      this.#current = new Map(this.#before)
    }
    ;(this.#current as Map<string, string>).set(name, value)
  }

  /** They have been taken back. */
  restored(): void {
    this.#before = undefined
  }
}

/** What servers report at the start: the sessions of a pool, which hear much the same, have it in common. */
export class StartReports {
  #latest: Reported = new Map()

  share(reported: Reported): Reported {
    if (!isSame(reported, this.#latest)) this.#latest = reported
    return this.#latest
  }
}

function isSame(one: Reported, other: Reported): boolean {
  if (one.size !== other.size) return false
  for (const [name, value] of one) if (other.get(name) !== value) return false
  return true
}
