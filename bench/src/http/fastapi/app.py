"""The service of the seed document: each request that declares a connection gets one of asyncpg's pool."""

import os
from contextlib import asynccontextmanager
from typing import AsyncIterator

import asyncpg
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field

COLUMNS = "id, title, done, created_at, updated_at"

db_pool: asyncpg.Pool


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    global db_pool
    db_pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=10,
        max_size=20,
        command_timeout=60,
        max_queries=50000,
        max_inactive_connection_lifetime=300.0,
    )
    yield
    await db_pool.close()


async def get_db_connection() -> AsyncIterator[asyncpg.Connection]:
    async with db_pool.acquire() as connection:
        yield connection


class TaskCreate(BaseModel):
    title: str = Field(min_length=1, max_length=500)
    done: bool = False


app = FastAPI()
# As FastAPI(lifespan=lifespan) does it since 0.93.
app.router.lifespan_context = lifespan


@app.post("/tasks", status_code=201)
async def create_task(task: TaskCreate, conn: asyncpg.Connection = Depends(get_db_connection)):
    row = await conn.fetchrow(
        f"insert into tasks (title, done) values ($1, $2) returning {COLUMNS}", task.title, task.done
    )
    return dict(row)


@app.get("/tasks/{id}")
async def get_task(id: int, conn: asyncpg.Connection = Depends(get_db_connection)):
    row = await conn.fetchrow(f"select {COLUMNS} from tasks where id = $1", id)
    if row is None:
        raise HTTPException(404, f"there is no task {id}")
    return dict(row)
