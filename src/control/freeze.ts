import { PartedMap } from '../routing/parted-map.ts';

/**
 * Freezes plain data through and through, so that nothing that handles a request can change what the next one sees.
 * Stops at what is frozen already: parts shared with the snapshot before cost nothing again.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  // exec and replace write `lastIndex` of a regular expression.
  if (value instanceof RegExp) return;
  if (value instanceof Map) {
    for (const [key, member] of value) {
      deepFreeze(key);
      deepFreeze(member);
    }
    // The entries of a Map are no properties, which freezing would hold.
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
  } else if (value instanceof PartedMap) {
    for (const member of value.values()) deepFreeze(member);
  } else if (value instanceof Set) {
    for (const member of value) deepFreeze(member);
    Object.assign(value, { add: refuse, delete: refuse, clear: refuse });
  }
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}

function refuse(): never {
  throw new TypeError('a snapshot is immutable');
}
