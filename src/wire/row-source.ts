import { decodeText } from './codecs/text.ts'
import { cannotDecode, checkEnd, firstColumn, type RowPlan, type RowReader, valueLength } from './row-body.ts'

/** Text up to this length is built from its bytes; above, the call into the runtime is faster. */
const shortText = 24

/** A switch over the length: String.fromCharCode with all bytes at once makes a flat string without leaving JavaScript. */
function shortTextSource(): string {
  const cases: string[] = []
  for (let length = 1; length <= shortText; length++) {
    const units = Array.from({ length }, (_, i) => `c${i}`)
    const reads = units.map((unit, i) => `${unit} = bytes[start + ${i}]`)
    cases.push(
      `case ${length}: { const ${reads.join(', ')}`,
      `if ((${units.join(' | ')}) < 128) return fromCharCode(${units.join(', ')})`,
      'break }',
    )
  }
  return `return function decodeShortText(bytes, start, end) {
switch (end - start) {
case 0: return ''
${cases.join('\n')}
}
return decodeText(bytes, start, end)
}`
}

let shortTextDecoder: typeof decodeText | undefined

/** `decodeText`, for mostly short ASCII; generated once. */
function decodeShortText(): typeof decodeText {
  shortTextDecoder ??= new Function('fromCharCode', 'decodeText', shortTextSource())(
    String.fromCharCode,
    decodeText,
  ) as typeof decodeText
  return shortTextDecoder
}

/**
 * The keys of the row's literal. Names come from users: as JSON strings they are data wherever they stand, and
 * computed, `__proto__` is a key like any other.
 */
function keySource(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)
}

function readerSource(plan: RowPlan): string {
  const { names, codecs, rowMode } = plan
  const columns = codecs.map(
    (_, i) => `column = ${i}
length = valueLength(bytes, at, end)
at += 4
const v${i} = length < 0 ? null : decode${i}(bytes, at, at += length)`,
  )
  const row =
    rowMode === 'array'
      ? `[${codecs.map((_, i) => `v${i}`).join(', ')}]`
      : `{ ${names.map((name, i) => `${keySource(name)}: v${i}`).join(', ')} }`
  return `return function readRow(bytes, start, end) {
let at = firstColumn(bytes, start, end, ${codecs.length})
let length = 0
let column = 0
try {
${columns.join('\n')}
checkEnd(at, end)
return ${row}
} catch (error) {
throw cannotDecode(error, plan, column)
}
}`
}

/**
 * The reader whose source has the columns of `plan` one after the other, each with its decoder, and the row as one
 * literal.
 *
 * @throws EvalError where code generation from strings is forbidden.
 */
export function generateReader(plan: RowPlan): RowReader {
  const text = decodeShortText()
  const decoders = plan.codecs.map(({ decode }) => (decode === decodeText ? text : decode))
  return new Function(
    'plan',
    'firstColumn',
    'valueLength',
    'checkEnd',
    'cannotDecode',
    ...decoders.map((_, i) => `decode${i}`),
    readerSource(plan),
  )(plan, firstColumn, valueLength, checkEnd, cannotDecode, ...decoders) as RowReader
}
