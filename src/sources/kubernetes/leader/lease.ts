import { isPlain, own, type Plain } from '../../../resources/plain.ts';

/** A Lease (coordination.k8s.io/v1) as it was read, whole: what others wrote into it goes back unchanged. */
export interface StoredLease {
  readonly metadata: Plain;
  readonly spec: Plain;
  /** `` where nobody holds it. */
  readonly holder: string;
  /** Milliseconds; 0 where the record says none. */
  readonly duration: number;
  readonly transitions: number;
  /** Another text whenever somebody wrote the record: a renewal is seen by nothing else (clocks of others are not read). */
  readonly record: string;
}

/** Longer promises of others aren't waited for: one wrong number would keep everybody from leading. */
const MAX_DURATION = 60_000;

/** Undefined for what is no Lease. */
export function readLease(body: unknown): StoredLease | undefined {
  const metadata = own(body, 'metadata');
  if (!isPlain(metadata) || typeof own(metadata, 'resourceVersion') !== 'string') return undefined;
  const found = own(body, 'spec');
  const spec = isPlain(found) ? found : {};
  const holder = own(spec, 'holderIdentity');
  return {
    metadata,
    spec,
    holder: typeof holder === 'string' ? holder : '',
    duration: Math.min(MAX_DURATION, count(own(spec, 'leaseDurationSeconds')) * 1000),
    transitions: count(own(spec, 'leaseTransitions')),
    record: JSON.stringify([own(metadata, 'uid'), spec]),
  };
}

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? Math.floor(value) : 0);

export interface LeaseClaim {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds since the epoch; written for people, read by nobody. */
  readonly wallNow: number;
}

/** The record with us as its holder, taken or renewed. Undefined `stored`: there is none yet. */
export function claimed(stored: StoredLease | undefined, claim: LeaseClaim): Plain {
  const time = microTime(claim.wallNow);
  const renewal = stored?.holder === claim.identity;
  const spec = {
    ...stored?.spec,
    holderIdentity: claim.identity,
    leaseDurationSeconds: claim.duration / 1000,
    acquireTime: renewal ? (own(stored.spec, 'acquireTime') ?? time) : time,
    renewTime: time,
    leaseTransitions: stored === undefined ? 0 : stored.transitions + (renewal ? 0 : 1),
  };
  const metadata = stored?.metadata ?? { namespace: claim.namespace, name: claim.name };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
}

/** The record with no holder: whoever comes next need not wait. */
export const released = (stored: StoredLease, wallNow: number): Plain => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: stored.metadata,
  spec: { ...stored.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(wallNow) },
});

/** metav1.MicroTime, which takes six digits of a second and no fewer. */
export const microTime = (wallNow: number): string => new Date(wallNow).toISOString().replace('Z', '000Z');
