import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { ConnectError } from '../../errors.ts'

const deriveKey = promisify(pbkdf2)

/**
 * What the client says of channel binding (RFC 5802, section 7): `n` it cannot, `y` it can but thinks that the
 * server cannot, `p` it is used, with the data of tls-server-end-point.
 */
export type Binding = { flag: 'n' | 'y' } | { flag: 'p'; data: Buffer }

/** More would keep a thread busy for longer than half a second at a stranger's wish; PostgreSQL's default is 4096. */
const mostIterations = 1_000_000

/** The client's side of one SCRAM-SHA-256 exchange (RFC 5802 with the hash of RFC 7677), without the framing. */
export class ScramExchange {
  readonly #password: string
  readonly #nonce: string
  readonly #header: string
  readonly #bindingData: Buffer
  readonly #clientFirstBare: string
  #serverSignature: Buffer | undefined

  constructor(user: string, password: string, binding: Binding, nonce = randomBytes(18).toString('base64')) {
    this.#password = password
    this.#nonce = nonce
    this.#header = binding.flag === 'p' ? 'p=tls-server-end-point,,' : `${binding.flag},,`
    this.#bindingData = binding.flag === 'p' ? binding.data : Buffer.alloc(0)
    this.#clientFirstBare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  }

  get clientFirst(): string {
    return this.#header + this.#clientFirstBare
  }

  /** The proof, in answer to the server's nonce, salt and iteration count. The key is derived off the event loop. */
  async clientFinal(serverFirst: string): Promise<string> {
    const { nonce, salt, iterations } = readServerFirst(serverFirst)
    if (nonce.length <= this.#nonce.length || !nonce.startsWith(this.#nonce)) {
      throw scramFailure('its nonce does not extend ours')
    }
    const channel = Buffer.concat([Buffer.from(this.#header), this.#bindingData]).toString('base64')
    const withoutProof = `c=${channel},r=${nonce}`
    const transcript = `${this.#clientFirstBare},${serverFirst},${withoutProof}`
    const salted = await deriveKey(await prepare(this.#password), salt, iterations, 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const clientSignature = hmac(createHash('sha256').update(clientKey).digest(), transcript)
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), transcript)
    const proof = clientKey.map((byte, i) => byte ^ clientSignature[i]!)
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** Proves that the server knows the password too. @throws ConnectError that is permanent, where it does not */
  verify(serverFinal: string): void {
    const error = /^e=([^,]*)/.exec(serverFinal)
    if (error !== null) throw scramFailure(`it says ${error[1]}`)
    const signature = Buffer.from(/^v=([^,]*)/.exec(serverFinal)?.[1] ?? '', 'base64')
    const expected = this.#serverSignature
    if (
      expected === undefined ||
      signature.length !== expected.length ||
      !timingSafeEqual(signature, expected)
    ) {
      throw scramFailure(
        'its signature is wrong: it does not know the password, so it is not the server it claims to be',
      )
    }
  }
}

function readServerFirst(text: string): { nonce: string; salt: Buffer; iterations: number } {
  const match = /^r=([^,]+),s=([A-Za-z0-9+/]+={0,2}),i=(\d+)(?:,|$)/.exec(text)
  if (match === null) throw scramFailure('its first message is malformed')
  const iterations = Number(match[3])
  if (iterations < 1 || iterations > mostIterations) {
    throw scramFailure(`it asks for ${match[3]} iterations; 1 to ${mostIterations} are accepted`)
  }
  return { nonce: match[1]!, salt: Buffer.from(match[2]!, 'base64'), iterations }
}

/**
 * SASLprep (RFC 4013), as the server did when the password was set: one that the profile does not allow is taken as
 * it is. ASCII stays what it is either way, so that the tables are loaded for other passwords only.
 */
async function prepare(password: string): Promise<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII as a whole is meant
  if (/^[\x00-\x7f]*$/.test(password)) return password
  const { saslprep } = await import('@mongodb-js/saslprep')
  try {
    return saslprep(password)
  } catch {
    return password
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function scramFailure(what: string): ConnectError {
  return new ConnectError(`the server failed the SCRAM authentication: ${what}`, { permanent: true })
}
