import { posix } from 'node:path';

/** What one file of src/ says, as far as rules of structure look at it. */
export interface SourceFile {
  /** `src/routing/compile.ts` */
  readonly path: string;
  readonly text: string;
}

export interface Breach {
  readonly rule: string;
  readonly path: string;
  readonly what: string;
}

interface Import {
  readonly from: string;
  /** The statement has `import type` or `export type`: nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

/** Statements with `from`, bare imports, and dynamic ones; comments are left out before. */
const IMPORT =
  /\b(?:import|export)\s+(type\s+)?(?:[\w*${}\s,]+?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)/g;

export function importsOf(text: string): readonly Import[] {
  return [...code(text).matchAll(IMPORT)].map((match) => ({
    from: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined || onlyTypesNamed(match[0]),
  }));
}

/** `import { type A, type B } from` */
const onlyTypesNamed = (statement: string): boolean => {
  const names = /^(?:import|export)\s*\{([^}]*)\}/.exec(statement)?.[1];
  const named =
    names
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '') ?? [];
  return named.length > 0 && named.every((name) => name.startsWith('type '));
};

/** Without comments. Strings stay: import paths are strings. */
export const code = (text: string): string =>
  text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, string: string | undefined) => string ?? ' ',
  );

/** First folder below src/, or the file itself there: `routing`, `main.ts`. */
const partOf = (path: string): string => path.split('/')[1] ?? '';

type Allowed = 'value' | 'type';
type PartRules = Readonly<Record<string, Allowed>>;

/**
 * Which part may import which, as values or as types only; what isn't named may not be imported at all, its own part
 * always. A name with a slash is one file, and goes before its folder (DESIGN: Structure).
 */
const PARTS: Readonly<Record<string, PartRules>> = {
  resources: {},
  authorization: { resources: 'value' },
  routing: { resources: 'value', authorization: 'value' },
  keys: { resources: 'value' },
  control: { resources: 'value', routing: 'value', 'plugins/contract.ts': 'type' },
  // identity.ts is vocabulary; what decides stands beside it, and no plugin decides about a Route's rules.
  plugins: {
    resources: 'value',
    keys: 'value',
    routing: 'type',
    authorization: 'type',
    'authorization/identity.ts': 'value',
  },
  sources: { resources: 'value', 'control/source.ts': 'type' },
  proxy: { resources: 'value', routing: 'value', authorization: 'value', 'control/lease.ts': 'type' },
  observe: {
    resources: 'type',
    authorization: 'type',
    routing: 'type',
    keys: 'type',
    control: 'type',
    plugins: 'type',
    sources: 'type',
    proxy: 'type',
  },
  'settings.ts': { resources: 'value', cli: 'value', routing: 'type' },
};

/** Composition: may import everything. */
const COMPOSITION: ReadonlySet<string> = new Set(['main.ts', 'cli']);
const PURE: ReadonlySet<string> = new Set(['resources', 'authorization', 'routing']);
/** Packages that one part only may use, and the ones that pure parts may. */
const PURE_PACKAGES: ReadonlySet<string> = new Set(['zod', 're2js']);
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['sources'],
  undici: ['sources', 'plugins'],
  'openid-client': ['plugins'],
  jose: ['plugins'],
  pino: ['observe'],
  'prom-client': ['observe'],
  yaml: ['sources', 'cli'],
  zod: ['resources', 'plugins'],
  re2js: ['resources', 'routing'],
};

/** A plugin's folder is its own: kinds know nothing of each other. */
const kindOf = (path: string): string | undefined => /^src\/plugins\/([^/]+)\//.exec(path)?.[1];

export function breaches(file: SourceFile): readonly Breach[] {
  return [...importBreaches(file), ...textBreaches(file)];
}

function importBreaches({ path, text }: SourceFile): readonly Breach[] {
  const part = partOf(path);
  const found: Breach[] = [];
  const breach = (rule: string, what: string) => found.push({ rule, path, what });
  for (const { from, typeOnly } of importsOf(text)) {
    if (!from.startsWith('.')) {
      if (from.startsWith('node:')) {
        if (PURE.has(part)) breach('pure', `imports ${from}`);
        continue;
      }
      const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/');
      const users = PACKAGES[name];
      if (users === undefined) breach('packages', `imports ${from}, which is no runtime dependency`);
      else if (!users.includes(part)) breach('packages', `imports ${from}, which is for ${users.join(' and ')}`);
      if (PURE.has(part) && !PURE_PACKAGES.has(name)) breach('pure', `imports ${from}`);
      continue;
    }
    const target = posix.join(posix.dirname(path), from);
    // The version of the program.
    if (target === 'package.json' && COMPOSITION.has(part)) continue;
    if (!target.startsWith('src/')) breach('parts', `imports ${target}, outside of src`);
    else if (!allowed(part, target, typeOnly)) breach('parts', `imports ${typeOnly ? 'types of ' : ''}${target}`);
    const other = kindOf(target);
    if (part === 'plugins' && other !== undefined && kindOf(path) !== undefined && other !== kindOf(path)) {
      breach('kinds', `imports ${target}, another kind`);
    }
    if (part !== 'plugins' && !COMPOSITION.has(part) && other !== undefined) breach('kinds', `imports ${target}`);
  }
  return found;
}

function allowed(part: string, target: string, typeOnly: boolean): boolean {
  const other = partOf(target);
  if (part === other || COMPOSITION.has(part)) return true;
  const rules = PARTS[part];
  const rule = rules?.[target.slice('src/'.length)] ?? rules?.[other];
  return rule === 'value' || (rule === 'type' && typeOnly);
}

interface TextRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly what: string;
  readonly but?: readonly string[];
  /** Only files below it. */
  readonly within?: string;
}

/** What knows the objects of node:http and node:http2: everything else is the same for every front and upstream. */
const FRONTS = [
  ...['listener', 'server', 'front-connection', 'front-request', 'node-exchange', 'request-body', 'response-writer'],
  ...['upgrade-seat', 'http2/session', 'http2/exchange', 'http2/request-body', 'http2/response-sink'],
  ...['upstream/h2/session', 'upstream/h2/stream'],
].map((name) => `src/proxy/${name}.ts`);

const TEXT: readonly TextRule[] = [
  {
    rule: 'environment',
    pattern: /\bprocess\s*(?:\.|\?\.|\[\s*['"])\s*env\b/,
    what: 'reads process.env',
    but: ['src/settings.ts'],
  },
  {
    rule: 'environment',
    pattern: /\bimport\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](?:node:)?process['"]/,
    what: 'imports env',
    but: ['src/settings.ts'],
  },
  // Throws away all but the first of several lines of some headers, and joins others: traps T13.
  { rule: 'headersDistinct', pattern: /\b(?:headers|trailers)Distinct\b/, what: 'uses headersDistinct' },
  {
    rule: 'eval',
    pattern: /\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(|['"](?:node:)?vm['"]/,
    what: 'makes code out of text',
    // The one word `gc`, which node gives out in no other way.
    but: ['src/proxy/overload/memory.ts'],
  },
  {
    rule: 'node',
    pattern:
      /\bfrom\s+['"](?:fs|http|https|net|tls|crypto|path|url|stream|events|util|os|timers|child_process)(?:\/[a-z]+)?['"]/,
    what: 'imports a module of Node without node:',
  },
  {
    rule: 'front',
    pattern:
      /\b(?:IncomingMessage|ServerResponse|ClientRequest|(?:Server|Client)?Http2(?:Stream|Session|ServerRequest|ServerResponse))\b/,
    what: 'knows an object of node:http or node:http2',
    but: FRONTS,
    within: 'src/proxy/',
  },
  { rule: 'any', pattern: /@ts-(?:ignore|expect-error|nocheck)/, what: 'switches the compiler off' },
];

function textBreaches({ path, text }: SourceFile): readonly Breach[] {
  const bare = code(text);
  return TEXT.filter(
    ({ rule, pattern, but, within = '' }) =>
      path.startsWith(within) && !but?.includes(path) && pattern.test(rule === 'any' ? text : bare),
  ).map(({ rule, what }) => ({ rule, path, what }));
}
