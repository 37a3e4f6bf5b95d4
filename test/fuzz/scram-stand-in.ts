import { createHmac, pbkdf2Sync } from 'node:crypto'
import { canary, type Recording } from './recordings.ts'

/** The client's nonce is 18 random bytes in base64. */
const nonceLength = 24

/**
 * A recorded login by SCRAM (RFC 5802) fits no other client's nonce. This puts the nonce of the client that is played
 * to in the place of the recorded one, and the signature that follows from it in that of the recorded one: where a
 * mutation has left them whole.
 */
export class ScramStandIn {
  readonly #first: string
  readonly #signature: string
  readonly #serverKey: Buffer
  #heard = ''

  private constructor(first: string, signature: string) {
    this.#first = first
    this.#signature = signature
    const [, salt, iterations] = /,s=([^,]*),i=(\d+)$/.exec(first)!
    const salted = pbkdf2Sync(canary, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256')
    this.#serverKey = createHmac('sha256', salted).update('Server Key').digest()
  }

  /** `undefined` where the recording has no such login. */
  static for(recording: Recording): ScramStandIn | undefined {
    const text = Buffer.concat(recording.turns.map((turn) => turn.bytes)).toString('latin1')
    const first = /r=[^,\0]+,s=[^,\0]+,i=\d+/.exec(text)?.[0]
    const signature = /v=([A-Za-z0-9+/]{43}=)/.exec(text)?.[1]
    return first === undefined || signature === undefined ? undefined : new ScramStandIn(first, signature)
  }

  /** Bytes that the client sent. */
  heard(bytes: Buffer): void {
    this.#heard += bytes.toString('latin1')
  }

  adapted(bytes: Buffer): Buffer {
    const clientFirst = /n,,(n=[^,]*,r=([A-Za-z0-9+/=]{24}))/.exec(this.#heard)
    if (clientFirst === null) return bytes
    const [, bare, nonce] = clientFirst as unknown as [string, string, string]
    const recorded = this.#first.slice(2, 2 + nonceLength)
    const text = bytes.toString('latin1')
    return Buffer.from(
      text.replace(recorded, nonce).replace(this.#signature, this.#sign(bare, nonce)),
      'latin1',
    )
  }

  #sign(clientFirst: string, nonce: string): string {
    const serverFirst = `r=${nonce}${this.#first.slice(2 + nonceLength)}`
    const [all] = serverFirst.split(',')
    return createHmac('sha256', this.#serverKey)
      .update(`${clientFirst},${serverFirst},c=biws,${all}`)
      .digest('base64')
  }
}
