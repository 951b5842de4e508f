import { z } from 'zod';

export const GROUP = 'postern.dev';
export const API_VERSION = `${GROUP}/v1alpha1`;
export const DEFAULT_CLASS = 'postern';
/** Gateway API; of its kinds only ReferenceGrant is read. */
export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
/** On a Secret, with the value `true`: plugins and Services may use it. */
export const SECRET_LABEL = 'postern.dev/secret';

/** What Postern uses of an object's metadata. */
export interface Metadata {
  readonly namespace: string;
  readonly name: string;
  /** Absent in files mode, where the identity of an object is its namespace and name. */
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** RFC 3339, seconds; absent in files mode, where nothing is older. */
  readonly creationTimestamp: string | undefined;
}

const LABEL_HINT = 'must be a-z, 0-9 and -, with a letter or digit at both ends, at most 63 characters';
const SUBDOMAIN_HINT = 'must be a-z, 0-9, - and ., with a letter or digit at both ends, at most 253 characters';

export const classField = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, LABEL_HINT)
  .default(DEFAULT_CLASS)
  .meta({ description: 'The installation that serves this object; others do not see it.' });

export const nameField = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, SUBDOMAIN_HINT);
export const namespaceField = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, LABEL_HINT);
export const durationField = z
  .string()
  .max(24)
  .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, 'must be a duration such as 10s, 1h30m or 500ms')
  .meta({ description: 'A duration as in Gateway API (GEP-2257): 10s, 1h30m, 500ms.' });

/** For lists of plugins: how the API server merges them, and that it refuses two of one kind. */
export const ONE_OF_A_KIND = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['kind'] };

/** Reference to a plugin. The kinds are those that this build knows; compile says which a Route names wrongly. */
export const pluginRefField = z
  .strictObject({ kind: z.string().min(1).max(63), name: nameField, namespace: namespaceField.optional() })
  .meta({ description: 'A plugin that guards what refers to it, of the same namespace unless that one grants it.' });
