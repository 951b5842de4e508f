import { own, type Plain } from '../../resources/plain.ts';

/**
 * What control is given of an object: what is parsed of it, frozen. Annotations and managedFields are not, nor is status
 * but for the hosts of a Route, which decide whose they are.
 */
export function trimObject(object: Plain, apiVersion: string, kind: string): Plain {
  const metadata = trimMetadata(own(object, 'metadata'));
  const hosts = kind === 'Route' ? own(own(object, 'status'), 'hosts') : undefined;
  const spec = own(object, 'spec');
  return freeze({ apiVersion, kind, metadata, spec, ...(hosts === undefined ? {} : { status: { hosts } }) });
}

/** A core Service, as far as a backendRef needs it. */
export function trimCoreService(object: Plain): Plain {
  const spec = own(object, 'spec');
  const ports = own(spec, 'ports');
  return freeze({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: trimMetadata(own(object, 'metadata')),
    spec: present({
      type: own(spec, 'type'),
      externalName: own(spec, 'externalName'),
      ports: Array.isArray(ports)
        ? ports.map((port) =>
            present({ name: own(port, 'name'), port: own(port, 'port'), protocol: own(port, 'protocol') }),
          )
        : undefined,
    }),
  });
}

export function trimMetadata(metadata: unknown): Plain {
  return present({
    name: own(metadata, 'name'),
    namespace: own(metadata, 'namespace'),
    uid: own(metadata, 'uid'),
    generation: own(metadata, 'generation'),
    creationTimestamp: own(metadata, 'creationTimestamp'),
  });
}

function present(fields: Plain): Plain {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Whoever is handed an object can't change it for the others. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}

/** Whether two values are the same JSON, whatever the order of their fields. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((member, at) => sameJson(member, b[at]));
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameJson(own(a, key), own(b, key)));
}
