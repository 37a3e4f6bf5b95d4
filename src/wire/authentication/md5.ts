import { createHash } from 'node:crypto'

/** The answer to AuthenticationMD5Password: `md5` + md5(md5(password + user) + salt), in hexadecimal. */
export function md5Response(user: string, password: string, salt: Buffer): string {
  const stored = createHash('md5').update(password).update(user).digest('hex')
  return `md5${createHash('md5').update(stored).update(salt).digest('hex')}`
}
