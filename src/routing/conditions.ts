import { formatPath, type Problem, type Reason, sentences } from '../resources/problem.ts';
import type { Condition } from './snapshot.ts';

/** Problems of what an object refers to; all others are of the object itself. */
const OF_REFERENCES: ReadonlySet<Reason> = new Set<Reason>([
  'BackendNotFound',
  'BackendPortNotFound',
  'AddressNotAllowed',
  'PluginNotFound',
  'PluginInvalid',
  'ServiceInvalid',
  'SecretNotFound',
  'SecretKeyMissing',
  'SecretInvalid',
  'SecretNotLabelled',
  'RefNotPermitted',
]);

export const isOfReferences = (reason: Reason): boolean => OF_REFERENCES.has(reason);

/** How far a valid object got into the table. */
export type Programming =
  | { readonly kind: 'Whole' }
  | { readonly kind: 'Partly' | 'Overridden'; readonly message: string };

export const WHOLE: Programming = { kind: 'Whole' };

/**
 * `Accepted`, `ResolvedRefs`, `Programmed` and `Ready`, always all four and in this order; then conditions that are only
 * there while they are true (`OpensProtectedPath`, `Insecure`, `HostNotReserved`).
 * `parsed` is false for an object whose references nobody looked at. `more`: conditions of the kind, before `Programmed`.
 */
export function conditionsOf(
  problems: readonly Problem[],
  parsed: boolean,
  programming: Programming,
  unusual: readonly Condition[],
  more: readonly Condition[] = NONE,
): readonly Condition[] {
  const plain = unusual.length === 0 && more.length === 0;
  if (parsed && problems.length === 0 && programming.kind === 'Whole' && plain) return HEALTHY;
  const accepted = accept(problems.filter(({ reason }) => !isOfReferences(reason)));
  const resolved = resolve(
    problems.filter(({ reason }) => isOfReferences(reason)),
    parsed,
  );
  const usable = accepted.status === 'True' && resolved.status === 'True';
  const programmed = program(usable, programming);
  const failing = [accepted, resolved, ...more, programmed].find(({ status }) => status !== 'True');
  const ready: Condition = failing === undefined ? TRUE.Ready : { ...failing, type: 'Ready', status: 'False' };
  return [accepted, resolved, ...more, programmed, ready, ...unusual];
}

const NONE: readonly Condition[] = [];

/** Whether the certificate that a Route names is shown; Routes without `spec.tls` have no such condition. */
export function certificateReady(problems: readonly Problem[]): Condition {
  const [first] = problems;
  if (first === undefined) return TRUE.CertificateReady;
  return { type: 'CertificateReady', status: 'False', reason: first.reason, message: messageOf(problems) };
}

export const unusual = (type: 'OpensProtectedPath' | 'Insecure' | 'HostNotReserved', message: string): Condition => ({
  type,
  status: 'True',
  reason: type,
  message,
});

const isTrue = (type: string): Condition => Object.freeze({ type, status: 'True', reason: type, message: '' });

/** What most conditions are; one value for all objects, of which there may be thousands. */
const TRUE = {
  Accepted: isTrue('Accepted'),
  ResolvedRefs: isTrue('ResolvedRefs'),
  CertificateReady: isTrue('CertificateReady'),
  Programmed: isTrue('Programmed'),
  Ready: isTrue('Ready'),
} as const;

/** What most objects are. */
const HEALTHY: readonly Condition[] = [TRUE.Accepted, TRUE.ResolvedRefs, TRUE.Programmed, TRUE.Ready];

function accept(problems: readonly Problem[]): Condition {
  const [first] = problems;
  if (first === undefined) return TRUE.Accepted;
  return { type: 'Accepted', status: 'False', reason: first.reason, message: messageOf(problems) };
}

function resolve(problems: readonly Problem[], parsed: boolean): Condition {
  const [first] = problems;
  if (first !== undefined) {
    return { type: 'ResolvedRefs', status: 'False', reason: first.reason, message: messageOf(problems) };
  }
  if (parsed) return TRUE.ResolvedRefs;
  const message = 'References are looked at once the object is valid.';
  return { type: 'ResolvedRefs', status: 'Unknown', reason: 'Invalid', message };
}

function program(usable: boolean, programming: Programming): Condition {
  if (!usable) {
    const message = 'What it is for is refused until its problems are solved.';
    return { type: 'Programmed', status: 'False', reason: 'Invalid', message };
  }
  if (programming.kind === 'Whole') return TRUE.Programmed;
  const reason = programming.kind === 'Partly' ? 'PartiallyProgrammed' : 'Overridden';
  return { type: 'Programmed', status: 'False', reason, message: programming.message };
}

/** The API server takes 32,768 characters of a message; nobody reads more than a few of them. */
const MAX_MESSAGE = 1024;

function messageOf(problems: readonly Problem[]): string {
  const texts = problems.map(({ path, message }) => (path.length === 0 ? message : `${formatPath(path)}: ${message}`));
  const text = sentences(texts);
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}
