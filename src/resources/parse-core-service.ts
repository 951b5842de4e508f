import type { Identity } from './object-identity.ts';
import { own } from './plain.ts';
import { problem } from './problem.ts';
import { invalidObject } from './read-spec.ts';
import type { Parsed } from './resource.ts';

/** As the API server bounds it. */
const MAX_PORTS = 1024;

/**
 * A core Service, as far as a backendRef needs it: its ports, and whether it is one that is followed at all. The API
 * server checked it; what it lets pass and we can't read serves nobody.
 */
export function parseCoreService(identity: Identity): Parsed {
  const { key, name, meta, object } = identity;
  const spec = own(object, 'spec');
  const ports = portsOf(own(spec, 'ports'));
  const problems = [...identity.problems];
  if (ports === undefined) problems.push(problem('Invalid', ['spec', 'ports'], 'must be a list of ports'));
  if (ports === undefined || problems.length > 0) return invalidObject(identity, problems, { kind: 'CoreService' });
  const externalName = own(spec, 'type') === 'ExternalName';
  return { ok: true, value: { kind: 'CoreService', key, name, meta, externalName, ports } };
}

/** One of type ExternalName, and a headless one, may have none. */
function portsOf(value: unknown): readonly number[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_PORTS) return undefined;
  const ports = value.map((entry: unknown) => own(entry, 'port'));
  const read = ports.filter((port) => typeof port === 'number' && Number.isInteger(port));
  return read.length === ports.length ? read.filter((port) => typeof port === 'number') : undefined;
}
