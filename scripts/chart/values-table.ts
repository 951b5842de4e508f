import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** One value of the chart, as its README shows it. */
export interface ChartValue {
  /** `service.ports.http.port` */
  readonly path: string;
  /** JSON. */
  readonly fallback: string;
  readonly about: string;
}

/**
 * The values of a values.yaml with what the comment above each says, which begins with `# -- `. A map without a comment is
 * a group of values; one with a comment is a value as a whole. Gives the paths of those without, too.
 */
export function chartValues(text: string): {
  readonly values: readonly ChartValue[];
  readonly silent: readonly string[];
} {
  const root = parseDocument(text).contents;
  const values: ChartValue[] = [];
  const silent: string[] = [];
  if (isMap(root)) collect(root, '', values, silent);
  return { values, silent };
}

function collect(map: YAMLMap, under: string, values: ChartValue[], silent: string[]): void {
  for (const [at, pair] of map.items.entries()) {
    const path = `${under}${isScalar(pair.key) ? String(pair.key.value) : ''}`;
    const about = aboutOf(pair, at === 0 ? map.commentBefore : undefined);
    const { value } = pair;
    if (about !== undefined) values.push({ path, fallback: json(value), about });
    else if (isMap(value) && value.items.length > 0) collect(value, `${path}.`, values, silent);
    else silent.push(path);
  }
}

/** The parser hangs the comment of a map's first pair on the map. */
function aboutOf(pair: Pair, ofMap: string | null | undefined): string | undefined {
  const comment = (isScalar(pair.key) ? pair.key.commentBefore : undefined) ?? ofMap ?? '';
  const text = / *-- (.*)$/s.exec(comment)?.[1];
  return text?.replaceAll(/\s+/g, ' ').trim();
}

const json = (value: unknown): string =>
  JSON.stringify(value === null || value === undefined ? null : toJson(value)) ?? 'null';

const toJson = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
    ? value.toJSON()
    : value;
