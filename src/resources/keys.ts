declare const checked: unique symbol;

/** `namespace/name` of an object; both parts are DNS names, so the slash is unambiguous (A173). */
export type NamespacedName = string & { readonly [checked]: 'NamespacedName' };

/** `Kind/namespace/name`: one object among all kinds. */
export type ObjectKey = string & { readonly [checked]: 'ObjectKey' };

/** RFC 1123 label, as the API server demands it of namespaces. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** RFC 1123 subdomain, as the API server demands it of object names; no empty label, so no `..` and no `/`. */
export const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * The caller vouches that both parts match the patterns above. Joined, for that gives a flat text: these are held as long as
 * their object is, and what `+` gives would hold both its halves too.
 */
export const namespacedName = (namespace: string, name: string): NamespacedName =>
  [namespace, name].join('/') as NamespacedName;
export const objectKey = (kind: string, name: NamespacedName): ObjectKey => [kind, name].join('/') as ObjectKey;

/** For messages: `Route shop/orders` of `Route/shop/orders`. */
export const objectText = (key: ObjectKey): string => key.replace('/', ' ');

export const namespaceOf = (name: NamespacedName): string => name.slice(0, name.indexOf('/'));
export const nameOf = (name: NamespacedName): string => name.slice(name.indexOf('/') + 1);
