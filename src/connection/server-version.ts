/**
 * A server's version. The second number of PostgreSQL 10 and later counts fixes: 18.3 is major 18, minor 0, micro 3,
 * and 9.6.24 was major 9, minor 6, micro 24, so that major and minor together always name a feature release.
 */
export interface ServerVersion {
  major: number
  minor: number
  micro: number
  releaseLevel: 'final' | 'devel' | 'alpha' | 'beta' | 'rc'
  /** Of a beta or a candidate; 0 for others. */
  serial: number
}

const numbers = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(devel|alpha|beta|rc)(\d+)?)?/

/** Reads the parameter `server_version`: `18.3`, `15.14 (Debian 15.14-0+deb12u1)`, `19beta2`. */
export function readServerVersion(text: string): ServerVersion {
  const [, major, second, third, level, serial] = numbers.exec(text) ?? []
  const minorAndMicro = Number(major) >= 10 ? [undefined, second] : [second, third]
  const [minor = 0, micro = 0] = minorAndMicro.map((part) => Number(part ?? 0))
  return {
    major: Number(major ?? 0),
    minor,
    micro,
    releaseLevel: (level as ServerVersion['releaseLevel'] | undefined) ?? 'final',
    serial: Number(serial ?? 0),
  }
}
