import type { Duration } from '../../duration.ts'
import type { Faults } from './faults.ts'

/** Each word, said to the way to the server and then to the way to the client. */
export abstract class BothWays implements Faults {
  abstract readonly toServer: Faults
  abstract readonly toClient: Faults

  delay(latency: Duration, jitter?: Duration): void {
    this.toServer.delay(latency, jitter)
    this.toClient.delay(latency, jitter)
  }

  slice(bytes: number): void {
    this.toServer.slice(bytes)
    this.toClient.slice(bytes)
  }

  hold(): void {
    this.toServer.hold()
    this.toClient.hold()
  }

  holdEnd(): void {
    this.toServer.holdEnd()
    this.toClient.holdEnd()
  }

  drop(): void {
    this.toServer.drop()
    this.toClient.drop()
  }

  resume(): void {
    this.toServer.resume()
    this.toClient.resume()
  }

  end(): void {
    this.toServer.end()
    this.toClient.end()
  }

  reset(): void {
    this.toServer.reset()
    this.toClient.reset()
  }

  heal(): void {
    this.toServer.heal()
    this.toClient.heal()
  }
}
