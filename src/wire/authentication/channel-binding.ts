import { createHash } from 'node:crypto'

/**
 * Signature algorithms by their object identifier in DER, and the hash that RFC 5929 (section 4.1) then prescribes:
 * that of the signature, but SHA-256 in the place of MD5 and SHA-1.
 */
const hashOfSignature: Record<string, string> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256', // sha256WithRSAEncryption
  '2a864886f70d01010c': 'sha384', // sha384WithRSAEncryption
  '2a864886f70d01010d': 'sha512', // sha512WithRSAEncryption
  '2a864886f70d01010e': 'sha224', // sha224WithRSAEncryption
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224', // ecdsa-with-SHA224
  '2a8648ce3d040302': 'sha256', // ecdsa-with-SHA256
  '2a8648ce3d040303': 'sha384', // ecdsa-with-SHA384
  '2a8648ce3d040304': 'sha512', // ecdsa-with-SHA512
}

const rsaPss = '2a864886f70d01010a'

/** The same by the hash's own identifier, as the parameters of RSA-PSS name it (RFC 4055). */
const hashByIdentifier: Record<string, string> = {
  '2b0e03021a': 'sha256', // SHA-1
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
}

/**
 * The channel-binding data of type tls-server-end-point (RFC 5929, section 4): a hash of the server's certificate.
 * `undefined` where the certificate's signature names no hash of its own (Ed25519).
 */
export function endPointData(certificate: Buffer): Buffer | undefined {
  const hash = signatureHash(certificate)
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest()
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … } (RFC 5280) */
function signatureHash(der: Buffer): string | undefined {
  const certificate = element(der, 0)
  const signed = element(der, certificate.start)
  const algorithm = element(der, signed.end)
  const identifier = element(der, algorithm.start)
  const name = der.toString('hex', identifier.start, identifier.end)
  return name === rsaPss ? pssHash(der, identifier.end) : hashOfSignature[name]
}

/** RSASSA-PSS-params ::= SEQUENCE { [0] SEQUENCE { OBJECT IDENTIFIER, … } DEFAULT sha1, … } (RFC 4055) */
function pssHash(der: Buffer, at: number): string | undefined {
  const parameters = element(der, at)
  if (parameters.start === parameters.end || der[parameters.start] !== 0xa0) return 'sha256'
  const tagged = element(der, parameters.start)
  const algorithm = element(der, tagged.start)
  const identifier = element(der, algorithm.start)
  return hashByIdentifier[der.toString('hex', identifier.start, identifier.end)]
}

/** Where the contents of the DER element at `at` start and end. The TLS library has parsed this certificate before. */
function element(der: Buffer, at: number): { start: number; end: number } {
  const first = der[at + 1]!
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const lengthBytes = first & 0x7f
  const start = at + 2 + lengthBytes
  return { start, end: start + der.readUIntBE(at + 2, lengthBytes) }
}
