import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  type Extension,
  type GeneralNameType,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** PEM text, and the same in files. */
export interface Certificate {
  cert: string
  key: string
  certFile: string
  keyFile: string
}

export interface Certificates {
  /** Signs all that follow but `unknownAuthority` and `selfSigned`. */
  authority: Certificate
  /** For localhost, 127.0.0.1 and ::1; the servers present it. */
  server: Certificate
  /** For `elsewhere.example` only. */
  wrongHost: Certificate
  /** As `server`, but its time is over since yesterday. */
  expired: Certificate
  /** As `server`, but signed by an authority that nobody is given. */
  unknownAuthority: Certificate
  selfSigned: Certificate
  /** For a client: its common name is the role `rockpool_certificate`. */
  client: Certificate
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 86_400_000

interface KeyPair {
  publicKey: webcrypto.CryptoKey
  privateKey: webcrypto.CryptoKey
}

interface Signed {
  certificate: X509Certificate
  keys: KeyPair
}

interface Wish {
  commonName: string
  hosts?: readonly { type: GeneralNameType; value: string }[]
  issuer?: Signed
  isAuthority?: boolean
  notAfter?: Date
}

/** Makes them anew, in PEM files under `directory`. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  await mkdir(directory, { recursive: true })
  const local = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ] as const
  const elsewhere = [{ type: 'dns', value: 'elsewhere.example' }] as const
  const yesterday = new Date(Date.now() - day)
  const authority = await sign({ commonName: 'rockpool test authority', isAuthority: true })
  const stranger = await sign({ commonName: 'an authority nobody knows', isAuthority: true })
  const issuer = authority
  return {
    authority: await save(directory, 'authority', authority),
    server: await save(directory, 'server', await sign({ commonName: 'localhost', hosts: local, issuer })),
    wrongHost: await save(
      directory,
      'wrong-host',
      await sign({ commonName: 'elsewhere.example', hosts: elsewhere, issuer }),
    ),
    expired: await save(
      directory,
      'expired',
      await sign({ commonName: 'localhost', hosts: local, issuer, notAfter: yesterday }),
    ),
    unknownAuthority: await save(
      directory,
      'unknown-authority',
      await sign({ commonName: 'localhost', hosts: local, issuer: stranger }),
    ),
    selfSigned: await save(directory, 'self-signed', await sign({ commonName: 'localhost', hosts: local })),
    client: await save(directory, 'client', await sign({ commonName: 'rockpool_certificate', issuer })),
  }
}

let serial = 0

async function sign({ commonName, hosts, issuer, isAuthority = false, notAfter }: Wish): Promise<Signed> {
  const keys = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as KeyPair
  const extensions: Extension[] = [new BasicConstraintsExtension(isAuthority, undefined, true)]
  if (hosts !== undefined) extensions.push(new SubjectAlternativeNameExtension([...hosts]))
  serial += 1
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(2, '0'),
    subject: `CN=${commonName}`,
    issuer: issuer?.certificate.subject ?? `CN=${commonName}`,
    notBefore: new Date(Date.now() - 30 * day),
    notAfter: notAfter ?? new Date(Date.now() + 30 * day),
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: algorithm,
    extensions,
  })
  return { certificate, keys }
}

async function save(directory: string, name: string, { certificate, keys }: Signed): Promise<Certificate> {
  const cert = `${certificate.toString('pem')}\n`
  const secret = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  const key = `${PemConverter.encode(secret, 'PRIVATE KEY')}\n`
  const certFile = join(directory, `${name}.crt`)
  const keyFile = join(directory, `${name}.key`)
  await writeFile(certFile, cert)
  await writeFile(keyFile, key, { mode: 0o600 })
  return { cert, key, certFile, keyFile }
}
