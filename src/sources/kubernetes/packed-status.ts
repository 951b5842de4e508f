import { isPlain, own } from '../../resources/plain.ts';

/**
 * A status as one short text: of 12,000 objects it is most of what is held, it is read only where there may be something to
 * write, and says nearly the same everywhere. Undefined where there is none.
 */
export function packStatus(status: unknown): string | undefined {
  const conditions = own(status, 'conditions');
  if (status === undefined) return undefined;
  if (!isPlain(status) || !Array.isArray(conditions) || !conditions.every(isCondition)) return JSON.stringify([status]);
  const packed = conditions.map((condition, at) => pack(condition, conditions[at - 1]));
  return JSON.stringify([{ ...status, conditions: undefined }, packed]);
}

/** The same JSON as was packed. */
export function unpackStatus(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const whole: unknown = JSON.parse(text);
  const [status, packed]: readonly unknown[] = Array.isArray(whole) ? whole : [];
  if (packed === undefined) return status;
  let before: unknown;
  const conditions = (Array.isArray(packed) ? packed : []).map((entry: unknown) => {
    before = unpack(Array.isArray(entry) ? entry : [], before);
    return before;
  });
  return { ...(isPlain(status) ? status : {}), conditions };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

const FIELDS = ['type', 'status', 'reason', 'message', 'observedGeneration', 'lastTransitionTime'] as const;

const isCondition = (value: unknown): value is Condition =>
  isPlain(value) &&
  Object.keys(value).length === FIELDS.length &&
  FIELDS.every((name) => typeof own(value, name) === (name === 'observedGeneration' ? 'number' : 'string'));

/** In the order of FIELDS; null: what is most often there. */
const pack = (condition: Condition, before: Condition | undefined): readonly unknown[] =>
  FIELDS.map((name) => (condition[name] === usual(name, condition, before) ? null : condition[name]));

function unpack(entry: readonly unknown[], before: unknown): Readonly<Record<string, unknown>> {
  const condition: Record<string, unknown> = {};
  for (const [at, name] of FIELDS.entries()) condition[name] = entry[at] ?? usual(name, condition, before);
  return condition;
}

/** What a field most often is: the same in all conditions that were written together, and a reason that is the type. */
function usual(name: (typeof FIELDS)[number], condition: unknown, before: unknown): unknown {
  switch (name) {
    case 'type':
      return undefined;
    case 'status':
      return 'True';
    case 'reason':
      return own(condition, 'type');
    case 'message':
      return '';
    case 'observedGeneration':
    case 'lastTransitionTime':
      return own(before, name);
  }
}
