import type { HostPattern } from '../resources/hostname.ts';

/** `*.b.c` and `*.c` of `a.b.c`; `*.c` of `*.b.c`. */
export function* widerWildcards(host: HostPattern): Generator<string> {
  const name = host.startsWith('*.') ? host.slice(2) : host;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) yield `*${name.slice(dot)}`;
}
