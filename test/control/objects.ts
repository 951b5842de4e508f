import type { Origin, Source, SourceObject } from '../../src/control/source.ts';

/** A source whose objects are set by hand. */
export interface ScriptedSource extends Source {
  /** Sets (or with undefined removes) an object and marks dirty. */
  set(id: string, value: unknown, origin?: Origin): void;
  mark(): void;
  stopped(): boolean;
  /** Makes what waits in `start` go on. */
  readonly sync: () => void;
}

/** `synced`: whether start resolves at once. */
export function scriptedSource(synced = true): ScriptedSource {
  const objects = new Map<string, SourceObject>();
  const read = Promise.withResolvers<void>();
  if (synced) read.resolve();
  let version = 0;
  let dirty: () => void = () => {};
  let stopped = false;
  return {
    async start(callback) {
      dirty = callback;
      await read.promise;
    },
    objects: () => objects,
    changes: () => undefined,
    stop() {
      stopped = true;
      return Promise.resolve();
    },
    set(id, value, origin) {
      version += 1;
      if (value === undefined) objects.delete(id);
      else objects.set(id, { value, version: String(version), origin });
      dirty();
    },
    mark: () => dirty(),
    stopped: () => stopped,
    sync: read.resolve,
  };
}

const object = (kind: string, name: string, spec: unknown): unknown => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { namespace: 'shop', name },
  spec,
});

export const service = (name: string, port = 8080): unknown =>
  object('Service', name, { url: `http://127.0.0.1:${port}` });

/** A Route for `/name` on shop.example.com; without `plugin` it is Public. */
export const route = (name: string, serviceName: string, plugin?: string, more: object = {}): unknown =>
  object('Route', name, {
    hosts: ['shop.example.com'],
    paths: [{ type: 'Prefix', value: `/${name}` }],
    serviceRef: { name: serviceName },
    ...(plugin === undefined ? { access: 'Public' } : { plugins: [{ kind: 'SharedToken', name: plugin }] }),
    ...more,
  });

export const token = (name: string, secretName = name, user = 'ann'): unknown =>
  object('SharedToken', name, { user, tokenSecretRef: { name: secretName } });

export const secret = (name: string, value: string): unknown => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'shop', name },
  stringData: { token: value },
});
