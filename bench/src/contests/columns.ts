import { milliseconds, whole } from '../table.ts'
import type { FigureColumn } from './contest.ts'

export const rate: FigureColumn = { title: 'requests/s', figure: 'rate', render: whole }
export const p50: FigureColumn = { title: 'p50 ms', figure: 'p50', render: milliseconds }
export const p99: FigureColumn = { title: 'p99 ms', figure: 'p99', render: milliseconds }
export const cpu: FigureColumn = { title: 'CPU µs', figure: 'cpu', render: (value) => value.toFixed(1) }

export const load = [rate, p50, p99, cpu]
