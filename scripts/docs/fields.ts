import type { Structural } from '../crd/structural.ts';

/** One row of a table of fields. */
export interface Field {
  /** `paths[].type`: as it is written, with `[]` for the members of a list. */
  readonly path: string;
  /** What can be written there: `text, 1 to 253 characters`. */
  readonly form: string;
  /** `required`, a default as it would be written, or nothing. */
  readonly fallback: string;
  readonly about: string;
}

/** Every field of an object schema and of what is in it, in the order of the schema. */
export function* fieldsOf(schema: unknown, prefix = ''): Generator<Field> {
  const object = read(schema);
  const required: readonly unknown[] = Array.isArray(object['required']) ? object['required'] : [];
  for (const [name, value] of Object.entries(read(object['properties']))) {
    const field = read(value);
    const path = prefix + name;
    const about = typeof field['description'] === 'string' ? plain(field['description']) : '';
    const fallback = required.includes(name) ? 'required' : fallbackOf(field);
    // What only holds other fields is told by theirs.
    if (field['type'] !== 'object' || about !== '' || fallback !== '')
      yield { path, form: formOf(field), fallback, about };
    const inner = field['type'] === 'array' ? read(field['items']) : field;
    if (inner['type'] === 'object') yield* fieldsOf(inner, `${path}${field['type'] === 'array' ? '[]' : ''}.`);
  }
}

function formOf(field: Schema): string {
  if (Array.isArray(field['enum'])) return field['enum'].map((value) => code(String(value))).join(', ');
  switch (field['type']) {
    case 'array':
      return listOf(read(field['items']), span(field['minItems'], field['maxItems']));
    case 'integer':
      return `number, ${span(field['minimum'], field['maximum'])}`;
    case 'boolean':
      return '`true`, `false`';
    case 'string':
      return field['pattern'] === DURATION ? 'duration' : textOf(field);
    default:
      return 'object';
  }
}

const DURATION = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';

const textOf = ({ minLength, maxLength }: Schema): string =>
  maxLength === undefined ? 'text' : `text, ${span(minLength, maxLength)} characters`;

const listOf = (items: Schema, size: string): string =>
  items['type'] === 'object' ? `list, ${size}` : `list, ${size}: ${formOf(items)}`;

function span(least: unknown, most: unknown): string {
  return least === undefined || least === 0 ? `up to ${String(most)}` : `${String(least)} to ${String(most)}`;
}

function fallbackOf({ default: value }: Schema): string {
  if (value === undefined || (typeof value === 'object' && JSON.stringify(value).length <= 2)) return '';
  if (Array.isArray(value)) return code(`[${value.join(', ')}]`);
  return code(String(value));
}

const code = (text: string): string => `\`${text}\``;

/** Text in which nothing is Markdown. */
export const plain = (text: string): string => text.replace(/[*_\\`<[\]]/g, '\\$&');

type Schema = Readonly<Record<string, unknown>>;
const read = (value: unknown): Schema => (typeof value === 'object' && value !== null ? { ...value } : {});

/** A table of them. */
export function fieldTable(schema: Structural): string {
  const rows = [...fieldsOf(schema)].map(({ path, form, fallback, about }) => [code(path), form, fallback, about]);
  return table(['field', 'value', 'default', ''], rows);
}

/** A Markdown table of cells in Markdown; what would end a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')}\n`;
}
