/** The server's reported settings (ParameterStatus): server_version, TimeZone, … */
export class ReportedSettings {
  /** As they are on the server. */
  readonly current: Map<string, string>
  /** As they were before they changed for the first time since the session was as new. */
  #before: Map<string, string> | undefined

  constructor(atStart: Map<string, string>) {
    this.current = atStart
  }

  /** What the next owner of a session will find, while those of the last one are still to be taken back. */
  get asNew(): ReadonlyMap<string, string> {
    return this.#before ?? this.current
  }

  changed(name: string, value: string): void {
    this.#before ??= new Map(this.current)
    this.current.set(name, value)
  }

  /** They have been taken back. */
  restored(): void {
    this.#before = undefined
  }
}
