import { expect, it } from 'vitest'
import { freshDatabase } from '../../test/support/servers.ts'
import { limits } from '../src/limit/limit.ts'
import { RawConnection } from '../src/limit/raw-connection.ts'
import { staged } from '../src/staged.ts'
import { taskById, taskByIdStatement } from '../src/workloads/task-by-id.ts'

const load = { callers: 7, seconds: 0.02, signal: new AbortController().signal }

it('the limit reads tasks over each number of sockets that there are callers for', async () => {
  const dsn = await freshDatabase()
  await staged(dsn, taskById, async (_, schema) => {
    for (const { name, lap } of limits) {
      const figures = await lap!({ dsn, schema, connections: 10 }, load)
      if (name === 'the limit: 10 sockets') expect(figures).toEqual({})
      else expect(figures.requests).toBeGreaterThanOrEqual(load.callers)
    }
  })
})

it('a raw connection gives each answer beside what was asked, as many at once as it is deep', async () => {
  const dsn = await freshDatabase()
  await staged(dsn, taskById, async (_, schema) => {
    const connection = await RawConnection.open(dsn, taskByIdStatement(schema).text, 3)
    const ids = Array.from({ length: 500 }, (_, index) => index + 1)
    const answers: [number, number][] = []
    let asked = 0
    let most = 0
    await connection.run({
      next() {
        const id = ids[asked] ?? 0
        if (id > 0) asked++
        most = Math.max(most, asked - answers.length)
        return id
      },
      answered: (id, got) => answers.push([id, got]),
    })
    await connection.close()
    expect(answers).toEqual(ids.map((id) => [id, id]))
    expect(most).toBe(3)
  })
})

it("an answer that is not the asked task's, and the server's error, end the run", async () => {
  const dsn = await freshDatabase()
  await staged(dsn, taskById, async (_, schema) => {
    const { text } = taskByIdStatement(schema)
    await expect(RawConnection.open(dsn, `${text} and nonsense`, 1)).rejects.toThrow('42703')
    const none = await RawConnection.open(dsn, text, 1)
    const asker = {
      next: () => 1_001,
      answered: (id: number, got: number) => {
        throw new Error(`${id} ${got}`)
      },
    }
    await expect(none.run(asker)).rejects.toThrow('1001 0')
    await none.close()
  })
})
