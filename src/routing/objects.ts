import { type NamespacedName, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type {
  CoreServiceResource,
  Parsed,
  PluginResource,
  ReferenceGrantResource,
  SecretResource,
  ServiceResource,
} from '../resources/resource.ts';
import { Cells, type Tracker } from './cells.ts';
import type { ParsedChange } from './changes.ts';
import type { Change } from './derived.ts';
import { type Grants, grantsOf } from './grants.ts';
import { type Broken, type Found, headOf, type Indexed, indexed, kindOf, type RouteState } from './indexed.ts';
import { Room } from './most-places.ts';
import type { Steps } from './steps.ts';

/** Names whose objects are others than in the run before. */
export interface ObjectChanges {
  readonly routes: Change<NamespacedName, RouteState>[];
  readonly services: Change<NamespacedName, Found<ServiceResource>>[];
  readonly plugins: Set<ObjectKey>;
  /** Of every kind, Routes among them. */
  readonly broken: Set<ObjectKey>;
  grants: boolean;
}

/** All objects by name. Two objects of one kind and name are both invalid: nobody can tell which one is meant. */
export class Objects {
  readonly services: Cells<NamespacedName, Found<ServiceResource>>;
  readonly plugins: Cells<ObjectKey, Found<PluginResource>>;
  readonly secrets: Cells<NamespacedName, Found<SecretResource>>;
  readonly coreServices: Cells<NamespacedName, Found<CoreServiceResource>>;
  readonly grants: Grants;
  readonly routes: Cells<NamespacedName, RouteState>;
  /** Everything that is no valid object. */
  readonly broken: Cells<ObjectKey, Broken>;
  readonly #groups = new Groups();
  readonly #room = new Room();
  /** Grants that could be read; the others grant nothing. */
  readonly #grants: Cells<'all', Grants>;
  readonly #granted = new Map<ObjectKey, ReferenceGrantResource>();

  constructor(tracker: Tracker) {
    this.services = new Cells(tracker);
    this.plugins = new Cells(tracker);
    this.secrets = new Cells(tracker);
    this.coreServices = new Cells(tracker);
    this.#grants = new Cells(tracker);
    this.grants = {
      permits: (from, to) => from.namespace === namespaceOf(to.name) || this.#allGrants().permits(from, to),
      granted: (from, kind) => this.#allGrants().granted(from, kind),
    };
    this.routes = new Cells(tracker);
    this.broken = new Cells(tracker);
  }

  *take(changes: Iterable<ParsedChange>): Steps<ObjectChanges> {
    const out: ObjectChanges = {
      routes: [],
      services: [],
      plugins: new Set(),
      broken: new Set(),
      grants: false,
    };
    let looked = 0;
    for (const [key, one] of yield* this.#groups.take(changes)) {
      if (looked++ % STRIDE === 0) yield;
      this.#put(key, one, indexed(this.#groups.of(key)), out);
    }
    for (const [name, state] of yield* this.#room.settle()) {
      if (looked++ % STRIDE === 0) yield;
      this.#putRoute(name, state, out);
    }
    if (out.grants) this.#grants.set('all', grantsOf(this.#granted.values()));
    return out;
  }

  #allGrants(): Grants {
    return this.#grants.get('all') ?? NO_GRANTS;
  }

  /** `after`: of the same kind as `one`, which is or was there. */
  #put(key: ObjectKey, one: Parsed, after: Indexed | undefined, out: ObjectChanges): void {
    const { name } = headOf(one);
    const kind = kindOf(one);
    if (kind === 'Route') {
      this.#room.replace(name, after?.kind === kind ? after : undefined);
      return;
    }
    this.#putBroken(key, after, out);
    switch (kind) {
      case 'Service': {
        const before = this.services.peek(name);
        const found = after?.kind === kind ? after.found : undefined;
        if (this.services.set(name, found)) out.services.push({ key: name, before, after: found });
        return;
      }
      case 'Plugin':
        if (this.plugins.set(key, after?.kind === kind ? after.found : undefined)) out.plugins.add(key);
        return;
      case 'Secret':
        this.secrets.set(name, after?.kind === kind ? after.found : undefined);
        return;
      case 'CoreService':
        this.coreServices.set(name, after?.kind === kind ? after.found : undefined);
        return;
      case 'ReferenceGrant':
        out.grants = true;
        if (after?.kind === kind && after.found.kind === 'Valid') this.#granted.set(key, after.found.value);
        else this.#granted.delete(key);
        return;
    }
  }

  #putRoute(name: NamespacedName, state: RouteState | undefined, out: ObjectChanges): void {
    const before = this.routes.peek(name);
    if (!this.routes.set(name, state)) return;
    out.routes.push({ key: name, before, after: state });
    const one = state ?? before;
    if (one !== undefined) this.#putBroken(keyOf(one), state, out);
  }

  #putBroken(key: ObjectKey, after: Indexed | undefined, out: ObjectChanges): void {
    if (this.broken.set(key, after?.found.kind === 'Broken' ? after.found : undefined)) out.broken.add(key);
  }
}

const NO_GRANTS = grantsOf([]);

/** Objects that are handled between two steps where each costs a few microseconds. */
const STRIDE = 32;

const keyOf = ({ found }: Indexed): ObjectKey => (found.kind === 'Broken' ? found.key : found.value.key);

/** Objects by key; most keys have one. */
class Groups {
  readonly #single = new Map<ObjectKey, Parsed>();
  readonly #several = new Map<ObjectKey, readonly Parsed[]>();

  of(key: ObjectKey): readonly Parsed[] {
    const single = this.#single.get(key);
    return single === undefined ? (this.#several.get(key) ?? []) : [single];
  }

  /** Answers the keys whose objects aren't what they were, each with one that is or was there. */
  *take(changes: Iterable<ParsedChange>): Steps<ReadonlyMap<ObjectKey, Parsed>> {
    const keys = new Map<ObjectKey, Parsed>();
    let looked = 0;
    for (const { before, after } of changes) {
      if (looked++ % STRIDE === 0) yield;
      for (const one of [before, after]) if (one !== undefined) keys.set(headOf(one).key, one);
      if (before !== undefined) this.#leave(before);
      if (after !== undefined) this.#join(after);
    }
    return keys;
  }

  #join(one: Parsed): void {
    const { key } = headOf(one);
    this.#become(key, [...this.of(key), one]);
  }

  #leave(one: Parsed): void {
    const { key } = headOf(one);
    const all = this.of(key);
    this.#become(key, all.toSpliced(all.indexOf(one), 1));
  }

  #become(key: ObjectKey, all: readonly Parsed[]): void {
    const [only] = all;
    if (all.length === 1 && only !== undefined) this.#single.set(key, only);
    else this.#single.delete(key);
    if (all.length > 1) this.#several.set(key, all);
    else this.#several.delete(key);
  }
}
