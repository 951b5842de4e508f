import { PLUGIN_KINDS } from '../plugins/kinds.ts';
import { isPlain } from '../resources/plain.ts';
import { routeSpec } from '../resources/route.ts';
import { serviceSpec } from '../resources/service.ts';

interface KnownKind {
  readonly kind: string;
  readonly plural: string;
  /** Of `spec`, as this build knows it. */
  readonly fields: readonly string[];
}

const fieldsOf = (schema: object): readonly string[] =>
  'shape' in schema && isPlain(schema.shape) ? Object.keys(schema.shape) : [];

/** What the CustomResourceDefinitions of a cluster are held against (F09). */
export const KNOWN_OWN_KINDS: readonly KnownKind[] = [
  { kind: 'Service', plural: 'services', fields: fieldsOf(serviceSpec) },
  { kind: 'Route', plural: 'routes', fields: fieldsOf(routeSpec) },
];
export const KNOWN_PLUGIN_KINDS: readonly KnownKind[] = PLUGIN_KINDS.map(({ kind, plural, schema }) => ({
  kind,
  plural,
  fields: fieldsOf(schema),
}));
