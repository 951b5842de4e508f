import type { Source, SourceObject } from '../../src/control/source.ts';

/** A source whose objects are put and removed by hand. */
export interface HandSource {
  readonly source: Pick<Source, 'objects' | 'changes'>;
  put(id: string, value: unknown, origin?: SourceObject['origin']): void;
  remove(id: string): void;
}

/** `told`: whether it says which objects changed. */
export function handSource(told = true): HandSource {
  const objects = new Map<string, SourceObject>();
  let touched = new Set<string>();
  let version = 0;
  return {
    source: {
      objects: () => objects,
      changes() {
        const taken = touched;
        touched = new Set();
        return told ? taken : undefined;
      },
    },
    put(id, value, origin) {
      version += 1;
      touched.add(id);
      objects.set(id, { value, version: String(version), origin });
    },
    remove(id) {
      touched.add(id);
      objects.delete(id);
    },
  };
}
