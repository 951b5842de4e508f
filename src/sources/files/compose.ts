import {
  type Alias,
  type Document,
  isNode,
  isScalar,
  type LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';

/** Deeper than any object of Kubernetes; recursion further down the way stays harmless. */
const MAX_NESTING = 64;
/** Of what one anchor holds. */
const MAX_ALIASES = 100;
/** Of a document: the library looks for the anchor of each among all of them. */
const MAX_ALIASES_IN_ALL = 1000;

export type Composed = Document.Parsed;

/** YAML 1.2 core schema, of which JSON is a part. No merge keys, no custom tags, keys are text. */
export function compose(text: string, lineCounter: LineCounter): readonly Composed[] {
  // Repeated keys are looked for below: the library compares each key with each other one.
  const documents = parseAllDocuments(text, {
    lineCounter,
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return Array.isArray(documents) ? documents : [];
}

const TOO_MANY_ALIASES = `there are more than ${MAX_ALIASES_IN_ALL} aliases (*name): write out what they stand for`;

interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** Why a document isn't taken; the first reason. */
export function faultOf(document: Composed): Fault | undefined {
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) {
    if (error.code === 'NON_STRING_KEY')
      return {
        offset: error.pos[0],
        message: 'not YAML: a key has to be text (a template with {{ }} must be rendered first)',
      };
    return { offset: error.pos[0], message: `not YAML: ${error.message}` };
  }
  return faultWithin(document);
}

function faultWithin(document: Composed): Fault | undefined {
  let fault: Fault | undefined;
  let aliases = 0;
  // An alias means the last anchor of its name before it (YAML 1.2.2, section 7.1); `resolve` would walk the whole
  // document for each.
  const anchors = new Map<string, Node>();
  const note = (node: Exclude<Node, Alias>): void => {
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
  };
  const stop = (offset: number | undefined, message: string): symbol => {
    fault = { offset: offset ?? 0, message };
    return visit.BREAK;
  };
  visit(document, {
    Seq(_, node, ancestors) {
      note(node);
      return ancestors.length > 2 * MAX_NESTING ? stop(node.range?.[0], 'this is nested too deeply') : undefined;
    },
    Map(_, node, ancestors) {
      note(node);
      if (ancestors.length > 2 * MAX_NESTING) return stop(node.range?.[0], 'this is nested too deeply');
      const seen = new Set<unknown>();
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? pair.key.value : undefined;
        const offset = isNode(pair.key) ? pair.key.range?.[0] : undefined;
        if (seen.has(key)) return stop(offset, `the key ${JSON.stringify(key)} is here twice: remove one of them`);
        seen.add(key);
      }
      return undefined;
    },
    Scalar(_, node) {
      note(node);
      const finite = typeof node.value !== 'number' || Number.isFinite(node.value);
      return finite ? undefined : stop(node.range?.[0], 'a number has to be finite');
    },
    Alias(_, node, ancestors) {
      aliases += 1;
      if (aliases > MAX_ALIASES_IN_ALL) return stop(node.range?.[0], TOO_MANY_ALIASES);
      const target = anchors.get(node.source);
      if (target === undefined)
        return stop(node.range?.[0], `no anchor &${node.source} is in this document before here`);
      return ancestors.includes(target) ? stop(node.range?.[0], `*${node.source} contains itself`) : undefined;
    },
  });
  return fault;
}

type Value = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

export function toValue(document: Composed): Value {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (error) {
    // Thrown for aliases that would expand beyond the bound (billion laughs).
    if (error instanceof ReferenceError)
      return { ok: false, message: 'aliases (*name) expand to too much: write it out' };
    throw error;
  }
}
