"""asyncpg's part in the contests: answers each line of standard input with a line, as serve.ts does."""

import asyncio
import datetime
import json
import math
import resource
import sys
import time
import traceback

import asyncpg
import uvloop

TASKS = 1_000
STRIDE = 619
ROWS = 1_000
INSERTS = 10_000
COPIED = 1_000_000
CHUNK = 64 * 1024
COLUMNS = ("id", "title", "done", "created_at")


class Pooled:
    """A pool that is full from its start, as the other peers' are."""

    def __init__(self, place):
        self.place = place

    async def __aenter__(self):
        connections = self.place["connections"]
        self.pool = await asyncpg.create_pool(self.place["dsn"], min_size=connections, max_size=connections)
        return self

    async def __aexit__(self, *_):
        await self.pool.close()


class TaskById(Pooled):
    warm_up = 0.3

    def __init__(self, place):
        super().__init__(place)
        self.statement = f"select id, title, done, created_at from {place['schema']}.tasks where id = $1"

    async def fetch(self, task):
        async with self.pool.acquire() as connection:
            return await connection.fetchrow(self.statement, task)

    async def ask(self, number):
        task = number * STRIDE % TASKS + 1
        row = await self.fetch(task)
        if row is None or row["id"] != task or row["title"] != f"task {task}":
            raise AssertionError(f"asked for task {task}, the answer was {row}")


class Connecting(TaskById):
    """A connection for each request."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def fetch(self, task):
        connection = await asyncpg.connect(self.place["dsn"])
        try:
            return await connection.fetchrow(self.statement, task)
        finally:
            await connection.close()


class ManyRows(Pooled):
    warm_up = 0.3

    async def ask(self, number):
        schema = self.place["schema"]
        rows = await self.pool.fetch(f"select id, title, done, created_at from {schema}.tasks")
        wanted = number % ROWS + 1
        row = rows[wanted - 1]
        right = (
            len(rows) == ROWS
            and row["id"] == wanted
            and row["title"] == f"task {wanted}"
            and row["done"] == (wanted % 2 == 0)
            and isinstance(row["created_at"], datetime.datetime)
        )
        if not right:
            raise AssertionError(f"{len(rows)} rows, row {wanted} of which is {row}")


def records(count):
    now = datetime.datetime.now(datetime.timezone.utc)
    second = datetime.timedelta(seconds=1)
    return [(id, f"task {id}", id % 2 == 0, now - id * second) for id in range(1, count + 1)]


class ExecuteMany(Pooled):
    warm_up = 0

    def __init__(self, place):
        super().__init__(place)
        self.records = records(INSERTS)

    async def ask(self, _):
        statement = f"insert into {self.place['schema']}.inserted values ($1, $2, $3, $4)"
        await self.pool.executemany(statement, self.records)


class CopyIn(Pooled):
    warm_up = 0

    def __init__(self, place):
        super().__init__(place)
        lines = (
            f"{id}\t{title}\t{'t' if done else 'f'}\t{created_at.isoformat()}\n"
            for id, title, done, created_at in records(COPIED)
        )
        self.text = "".join(lines).encode()

    async def chunks(self):
        for start in range(0, len(self.text), CHUNK):
            yield self.text[start : start + CHUNK]

    async def ask(self, _):
        await self.pool.copy_to_table("copied", schema_name=self.place["schema"], source=self.chunks())


class CopyRecords(Pooled):
    warm_up = 0

    def __init__(self, place):
        super().__init__(place)
        self.records = records(COPIED)

    async def ask(self, _):
        await self.pool.copy_records_to_table(
            "copied", schema_name=self.place["schema"], records=self.records, columns=COLUMNS
        )


class CopyOut(Pooled):
    warm_up = 0

    async def ask(self, _):
        lines = 0

        async def take(chunk):
            nonlocal lines
            lines += chunk.count(b"\n")

        await self.pool.copy_from_table("tasks", schema_name=self.place["schema"], output=take)
        if lines != COPIED:
            raise AssertionError(f"{lines} rows were read")


WORK = {
    "one-shots": TaskById,
    "leases": TaskById,
    "rows": ManyRows,
    "executeMany": ExecuteMany,
    "copy in": CopyIn,
    "copy records": CopyRecords,
    "copy out": CopyOut,
    "connecting": TaskById,
}


async def measure(work, callers, seconds):
    """The same loop as measure.ts has."""
    latencies = []
    asked = 0
    before_cpu = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.perf_counter()
    end = begun + seconds

    async def call():
        nonlocal asked
        before = time.perf_counter()
        while True:
            number = asked
            asked += 1
            await work.ask(number)
            after = time.perf_counter()
            latencies.append(after - before)
            before = after
            if after >= end:
                return

    await asyncio.gather(*(call() for _ in range(callers)))
    elapsed = time.perf_counter() - begun
    after_cpu = resource.getrusage(resource.RUSAGE_SELF)
    cpu = sum(getattr(after_cpu, kind) - getattr(before_cpu, kind) for kind in ("ru_utime", "ru_stime"))
    latencies.sort()
    count = len(latencies)

    def percentile(share):
        return latencies[max(0, math.ceil(share * count) - 1)] * 1e3

    return {
        "requests": count,
        "rate": count / elapsed,
        "p50": percentile(0.5),
        "p99": percentile(0.99),
        "cpu": cpu / count * 1e6,
    }


async def lap(kind, place, load):
    async with kind(place) as work:
        if kind.warm_up > 0:
            await measure(work, load["callers"], min(kind.warm_up, load["seconds"]))
        return await measure(work, load["callers"], load["seconds"])


async def main():
    contest, peer = sys.argv[1:]
    kind = Connecting if peer.endswith("a connection for each request") else WORK[contest]
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        question = json.loads(line)
        try:
            answer = {"figures": await lap(kind, question["place"], question["load"])}
        except Exception:
            answer = {"failure": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


uvloop.install()
asyncio.run(main())
