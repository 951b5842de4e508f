import { own, type Plain } from '../../resources/plain.ts';

/**
 * What control is given of an object: what is parsed of it. Annotations and managedFields are not, nor is status
 * but for the hosts of a Route, which decide whose they are.
 */
export function trimObject(object: Plain, apiVersion: string, kind: string): Plain {
  const metadata = trimMetadata(own(object, 'metadata'));
  const hosts = kind === 'Route' ? own(own(object, 'status'), 'hosts') : undefined;
  const spec = own(object, 'spec');
  return { apiVersion, kind, metadata, spec, ...(hosts === undefined ? {} : { status: { hosts } }) };
}

/** A core Service, as far as a backendRef needs it. */
export function trimCoreService(object: Plain): Plain {
  const spec = own(object, 'spec');
  const ports = own(spec, 'ports');
  return {
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
  };
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
