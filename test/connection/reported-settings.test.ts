import { describe, expect, it } from 'vitest'
import { ReportedSettings, StartReports } from '../../src/connection/reported-settings.ts'

const start = () =>
  new Map([
    ['server_version', '18.0'],
    ['TimeZone', 'UTC'],
  ])

describe('what a server reports', () => {
  it('changes for the session that changed it, and for none that began alike', () => {
    const reports = new StartReports()
    const [one, other] = [start(), start()].map((reported) => new ReportedSettings(reports.share(reported)))
    one!.changed('TimeZone', 'Europe/Vienna')
    one!.changed('application_name', 'mine')
    expect(Object.fromEntries(one!.current)).toEqual({
      server_version: '18.0',
      TimeZone: 'Europe/Vienna',
      application_name: 'mine',
    })
    expect(other!.current).toEqual(start())
    expect(new ReportedSettings(reports.share(start())).current).toEqual(start())
  })

  it('is for the next owner what it was before the last one changed it', () => {
    const reported = new ReportedSettings(start())
    reported.changed('TimeZone', 'Europe/Vienna')
    reported.changed('TimeZone', 'Asia/Tokyo')
    expect(reported.asNew.get('TimeZone')).toBe('UTC')
    reported.changed('TimeZone', 'UTC')
    reported.restored()
    reported.changed('TimeZone', 'Europe/Vienna')
    expect(reported.asNew.get('TimeZone')).toBe('UTC')
    expect(reported.current.get('TimeZone')).toBe('Europe/Vienna')
  })

  it('is kept once for sessions that are told the same, and apart for those that are not', () => {
    const reports = new StartReports()
    const first = reports.share(start())
    expect(reports.share(start())).toBe(first)
    const another = start().set('TimeZone', 'Asia/Tokyo')
    expect(reports.share(another)).toBe(another)
    const more = start().set('in_hot_standby', 'on')
    expect(reports.share(more)).toBe(more)
    const fewer = new Map([['server_version', '18.0']])
    expect(reports.share(fewer)).toBe(fewer)
  })
})
