import type { SourceObject } from '../../control/source.ts';
import { own, type Plain } from '../../resources/plain.ts';
import { packStatus, unpackStatus } from './packed-status.ts';

/** What the API server has of one object, as of its last event: for whoever writes its status. */
export interface StoredObject {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** As it is there, not checked; made anew at each look. */
  readonly status: unknown;
}

export const storedOf = (object: Plain): StoredObject => {
  const metadata = own(object, 'metadata');
  const [uid, version, generation] = [
    own(metadata, 'uid'),
    own(metadata, 'resourceVersion'),
    own(metadata, 'generation'),
  ];
  return new Stored(
    typeof uid === 'string' ? uid : '',
    typeof version === 'string' ? version : '',
    typeof generation === 'number' ? generation : 0,
    own(object, 'status'),
  );
};

/** What the condition that sums up the others says, without a look at the rest: it is asked about all objects in one go. */
export interface Ready {
  readonly readyStatus: unknown;
  /** Of `spec`, as of when it was said. */
  readonly readyGeneration: unknown;
}

/** Undefined: nothing was said yet. */
export function readyOf(stored: StoredObject): Ready | undefined {
  const said = stored instanceof Stored ? stored : readyIn(stored.status);
  return said.readyStatus === undefined ? undefined : said;
}

function readyIn(status: unknown): Ready {
  const list = own(status, 'conditions');
  const found: unknown = Array.isArray(list)
    ? list.find((entry: unknown) => own(entry, 'type') === 'Ready')
    : undefined;
  return { readyStatus: own(found, 'status'), readyGeneration: own(found, 'observedGeneration') };
}

class Stored implements StoredObject, Ready {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly readyStatus: unknown;
  readonly readyGeneration: unknown;
  readonly #status: string | undefined;

  constructor(uid: string, resourceVersion: string, generation: number, status: unknown) {
    this.uid = uid;
    this.resourceVersion = resourceVersion;
    this.generation = generation;
    const { readyStatus, readyGeneration } = readyIn(status);
    this.readyStatus = readyStatus;
    this.readyGeneration = readyGeneration;
    this.#status = packStatus(status);
  }

  get status(): unknown {
    return unpackStatus(this.#status);
  }
}

/** The objects that control sees. A write that changes nothing that is parsed, such as one of status, isn't a change. */
export class Objects {
  readonly visible = new Map<string, SourceObject>();
  #touched = new Set<string>();
  #serial = 0;
  #last: { readonly value: Plain; readonly text: string } | undefined;

  /** Whether anything changed. */
  put(key: string, value: Plain): boolean {
    if (this.has(key, value)) return false;
    // Of one resourceVersion there can be two values: when a CustomResourceDefinition gets another default.
    this.#serial += 1;
    this.#touched.add(key);
    this.visible.set(key, new Visible(String(this.#serial), this.#textOf(value)));
    return true;
  }

  has(key: string, value: Plain): boolean {
    const before = this.visible.get(key);
    return before instanceof Visible && before.text === this.#textOf(value);
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

  /** One object is looked at several times in a row. */
  #textOf(value: Plain): string {
    if (this.#last?.value !== value) this.#last = { value, text: JSON.stringify(value) };
    return this.#last.text;
  }
}

/**
 * An object as text: it is parsed once and then only compared with the next version, and as text it is one value in place of
 * thirty, which are looked at by each collection of garbage. The API server gives fields in the same order each time; where it
 * doesn't, an object is parsed once more than was needed.
 */
class Visible implements SourceObject {
  readonly version: string;
  readonly text: string;

  constructor(version: string, text: string) {
    this.version = version;
    this.text = text;
  }

  /** Made anew at each look, so that whoever is handed it can't change it for the others. */
  get value(): unknown {
    return JSON.parse(this.text);
  }

  get origin(): undefined {
    return undefined;
  }
}
