import type { Plot } from '../topic.ts'
import { LogScale } from './log-scale.ts'

const width = 860
const height = 420
const field = { left: 76, top: 48, right: 560, bottom: 360 }
/** Pixels between the names beside the lines. */
const leading = 18

/** Six colours that are told apart on white, and those on a dark ground. */
const light = ['#1d5fd1', '#c2410c', '#0f766e', '#7c3aed', '#8a6100', '#be185d']
const dark = ['#7aa7ff', '#ff9a62', '#4fd1c5', '#b79cff', '#e6c14c', '#ff7eb6']

/** The plot as an SVG image that follows the reader's choice of light or dark. */
export function lineChart({ title, x, y, lines }: Plot): string {
  const drawn = lines
    .map(({ name, points }) => ({ name, points: points.filter(({ y }) => y > 0 && Number.isFinite(y)) }))
    .filter(({ points }) => points.length > 0)
  const points = drawn.flatMap((line) => line.points)
  const across = new LogScale(
    points.map((point) => point.x),
    field.left,
    field.right,
  )
  const up = new LogScale(
    points.map((point) => point.y),
    field.bottom,
    field.top,
  )
  const marks = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b)
  const names = namePlaces(drawn.map((line) => up.at(line.points.at(-1)!.y)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style()}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text(field.left, 24, title, 'title'),
    ...up.ticks.map((tick) => horizontal(up.at(tick), labelOf(tick))),
    ...marks.map((mark) => vertical(across.at(mark), labelOf(mark))),
    text((field.left + field.right) / 2, height - 14, x, 'middle'),
    text(field.left, 40, y, 'start'),
    ...drawn.flatMap((line, index) => {
      const places = line.points.map((point) => [fixed(across.at(point.x)), fixed(up.at(point.y))])
      const [lastX, lastY] = places.at(-1)!
      return [
        `<g class="line${index % light.length}">`,
        `<polyline points="${places.map((place) => place.join(',')).join(' ')}"/>`,
        ...places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.2"/>`),
        `<path class="lead" d="M${lastX} ${lastY}L${field.right + 18} ${fixed(names[index]!)}"/>`,
        text(field.right + 22, names[index]! + 4, line.name, 'start'),
        '</g>',
      ]
    }),
    '</svg>',
    '',
  ].join('\n')
}

/** Where the names stand: each as near to the end of its line as those above it let it. */
function namePlaces(ends: readonly number[]): number[] {
  const places: number[] = []
  let free = field.top
  for (const [index, end] of [...ends.entries()].sort(([, a], [, b]) => a - b)) {
    places[index] = Math.max(end, free)
    free = places[index] + leading
  }
  const over = Math.max(0, free - leading - field.bottom)
  return places.map((place) => place - over)
}

function horizontal(at: number, label: string): string {
  const place = fixed(at)
  return `<path class="grid" d="M${field.left} ${place}H${field.right}"/>${text(field.left - 8, at + 4, label, 'end')}`
}

function vertical(at: number, label: string): string {
  const place = fixed(at)
  return `<path class="grid" d="M${place} ${field.top}V${field.bottom}"/>${text(at, field.bottom + 20, label, 'middle')}`
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text class="${kind}" x="${fixed(x)}" y="${fixed(y)}">${escaped(content)}</text>`
}

function style(): string {
  const lines = (colours: readonly string[]) =>
    colours.map((colour, index) => `.line${index}{--colour:${colour}}`).join('')
  return [
    `svg{--ground:#fff;--ink:#24292f;--grid:#d8dee4}${lines(light)}`,
    `@media(prefers-color-scheme:dark){svg{--ground:#0d1117;--ink:#d1d7de;--grid:#30363d}${lines(dark)}}`,
    'text{font:12px system-ui,sans-serif;fill:var(--ink)}.title{font-size:15px;font-weight:600}',
    '.middle{text-anchor:middle}.end{text-anchor:end}.ground{fill:var(--ground)}.grid{stroke:var(--grid)}',
    'polyline{fill:none;stroke:var(--colour);stroke-width:2}circle,g text{fill:var(--colour)}',
    '.lead{stroke:var(--colour);stroke-opacity:.4}',
  ].join('')
}

function labelOf(value: number): string {
  return value.toLocaleString('en-US')
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
