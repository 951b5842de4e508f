import type { SourceObject } from '../../control/source.ts';
import { own, type Plain } from '../../resources/plain.ts';
import { sameJson } from './trim.ts';

/** What the API server has of one object, as of its last event: for whoever writes its status. */
export interface StoredObject {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** As it is there, not checked; frozen by nobody, changed by nobody. */
  readonly status: unknown;
}

export const storedOf = (object: Plain): StoredObject => {
  const metadata = own(object, 'metadata');
  const [uid, version, generation] = [
    own(metadata, 'uid'),
    own(metadata, 'resourceVersion'),
    own(metadata, 'generation'),
  ];
  return {
    uid: typeof uid === 'string' ? uid : '',
    resourceVersion: typeof version === 'string' ? version : '',
    generation: typeof generation === 'number' ? generation : 0,
    status: own(object, 'status'),
  };
};

/** The objects that control sees. A write that changes nothing that is parsed, such as one of status, isn't a change. */
export class Objects {
  readonly visible = new Map<string, SourceObject>();
  #touched = new Set<string>();
  #serial = 0;

  /** Whether anything changed. `value`: frozen. */
  put(key: string, value: Plain): boolean {
    if (this.has(key, value)) return false;
    this.#serial += 1;
    this.#touched.add(key);
    const metadata = own(value, 'metadata');
    // Of one resourceVersion there can be two values: when a CustomResourceDefinition gets another default.
    const version = `${String(own(metadata, 'uid') ?? '')}/${this.#serial}`;
    this.visible.set(key, Object.freeze({ value, version, origin: undefined }));
    return true;
  }

  has(key: string, value: Plain): boolean {
    const before = this.visible.get(key);
    return before !== undefined && sameJson(before.value, value);
  }

  delete(key: string): boolean {
    this.#touched.add(key);
    return this.visible.delete(key);
  }

  /** Keys that were put or deleted since this was called last. */
  takeChanges(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }
}
