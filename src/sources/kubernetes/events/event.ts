import { randomBytes } from 'node:crypto';
import { microTime } from '../leader/lease.ts';
import type { Happening } from './transitions.ts';

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const CONTROLLER = 'postern.dev/postern';
/** Bounds of events.k8s.io/v1: bytes of a note, characters of an instance. */
const MOST_NOTE = 1024;
const MOST_INSTANCE = 128;

/** An Event (events.k8s.io/v1) of what happened; `instance`: name of this Pod. */
export function eventOf(
  subject: EventSubject,
  { type, reason, note }: Happening,
  instance: string,
  wallNow: number,
): unknown {
  // A name of 253 characters takes no suffix; what is cut off ends in no dot or dash.
  const stem = subject.name.slice(0, 230).replace(/[^a-z0-9]+$/, '');
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: subject.namespace, name: `${stem}.${randomBytes(8).toString('hex')}` },
    eventTime: microTime(wallNow),
    reportingController: CONTROLLER,
    reportingInstance: instance.slice(0, MOST_INSTANCE),
    action: 'Reconcile',
    reason,
    type,
    note: bytes(note, MOST_NOTE),
    regarding: subject,
  };
}

/** As much of a text as has no more bytes than this, whole characters. */
function bytes(text: string, most: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= most) return text;
  const cut = new TextDecoder('utf-8').decode(encoded.subarray(0, most - 3)).replace(/\uFFFD+$/, '');
  return `${cut}…`;
}
