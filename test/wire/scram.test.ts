import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ScramExchange } from '../../src/wire/authentication/scram.ts'

const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'

function exchange(password = 'pencil', user = 'user'): ScramExchange {
  return new ScramExchange(user, password, { flag: 'n' }, 'rOprNGfwEbeRWgbNEkqO')
}

test('the exchange of RFC 7677 is reproduced', async () => {
  const scram = exchange()
  expect(scram.clientFirst).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  expect(await scram.clientFinal(serverFirst)).toBe(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  scram.verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

test('a user name with the separators of SCRAM is escaped', () => {
  expect(exchange('pencil', 'a=b,c').clientFirst).toBe('n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO')
})

test('every exchange has a nonce of its own', () => {
  const one = new ScramExchange('user', 'pencil', { flag: 'n' })
  const other = new ScramExchange('user', 'pencil', { flag: 'n' })
  expect(one.clientFirst).not.toBe(other.clientFirst)
})

describe('the server is refused for good when', () => {
  test.each([
    ['its signature is wrong', 'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='],
    ['its signature is cut short', 'v=6rriTRBi23WpRR/wtup+'],
    ['its signature is empty', 'v='],
    ['it gives none', ''],
  ])('%s', async (_what, final) => {
    const scram = exchange()
    await scram.clientFinal(serverFirst)
    expect(() => scram.verify(final)).toThrow(
      expect.objectContaining({
        permanent: true,
        message: expect.stringContaining('does not know the password'),
      }),
    )
  })

  test('it reports an error', async () => {
    const scram = exchange()
    await scram.clientFinal(serverFirst)
    expect(() => scram.verify('e=invalid-proof')).toThrow(/it says invalid-proof/)
  })

  test('it signs before it has asked for the proof', () => {
    expect(() => exchange().verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toThrow(
      /signature is wrong/,
    )
  })

  test.each([
    [
      'does not extend ours',
      'r=somethingElseAltogether,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      /does not extend ours/,
    ],
    ['is ours alone', 'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', /does not extend ours/],
  ])('its nonce %s', async (_what, first, says) => {
    await expect(exchange().clientFinal(first)).rejects.toThrow(says)
  })

  test.each(['0', '1000001', '1000000000', '99999999999999999999'])(
    'it asks for %s iterations',
    async (count) => {
      const first = `r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=${count}`
      await expect(exchange().clientFinal(first)).rejects.toThrow(`it asks for ${count} iterations`)
    },
  )

  test.each([
    '',
    'r=rOprNGfwEbeRWgbNEkqOx',
    'r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096',
    'r=rOprNGfwEbeRWgbNEkqOx,s=not base64,i=4096',
    'r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=-1',
    'r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1e3',
    'm=extension,r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096',
  ])('its first message is %j', async (first) => {
    await expect(exchange().clientFinal(first)).rejects.toThrow(/malformed/)
  })
})

describe('the password goes through SASLprep', () => {
  /** The proof that a server with this very password, byte for byte, would accept. */
  function proofFor(password: string): string {
    const withoutProof = 'c=biws,r=rOprNGfwEbeRWgbNEkqOx'
    const first = 'r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1'
    const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
    const clientKey = hmac(pbkdf2Sync(password, Buffer.from('W22Z', 'base64'), 1, 32, 'sha256'), 'Client Key')
    const stored = createHash('sha256').update(clientKey).digest()
    const signature = hmac(stored, `n=user,r=rOprNGfwEbeRWgbNEkqO,${first},${withoutProof}`)
    return `${withoutProof},p=${Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64')}`
  }

  test.each([
    ['a no-break space becomes a space', 'pen\u00a0cil', 'pen cil'],
    ['a ligature becomes its letters', '\ufb01sh', 'fish'],
    ['a soft hyphen is dropped', 'pen\u00adcil', 'pencil'],
    ['one with a forbidden character is taken as it is', 'pen\u0007\u00e4', 'pen\u0007\u00e4'],
    ['ASCII is taken as it is', 'p=e,n\\c~il', 'p=e,n\\c~il'],
  ])('%s', async (_what, password, prepared) => {
    const final = await exchange(password).clientFinal('r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1')
    expect(final).toBe(proofFor(prepared))
  })
})
