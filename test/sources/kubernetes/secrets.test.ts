import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../../support/apiserver.ts';
import { programPath } from '../../support/assets.ts';
import { type FaultyApi, type FaultyCall, startFaultyApi } from '../../support/faulty-api.ts';
import {
  applyCrds,
  eventually,
  manifests,
  namespaces,
  plugin,
  type StartedSource,
  secret,
  service,
  startSource,
  stopSources,
} from './cluster.ts';

const TIMEOUT = 90_000;
// The API server looks at the names of the keys only.
const [CERTIFICATE, KEY] = ['certificate', 'key'];
const SESAME = Buffer.from('sesame').toString('base64');

describe.skipIf(programPath('kube-apiserver') === '')(
  'Secrets of a cluster (npm run test:assets)',
  { timeout: TIMEOUT },
  () => {
    let server: ApiServer;
    let faulty: FaultyApi;
    beforeAll(async () => {
      server = await startApiServer();
      await applyCrds(server);
      faulty = await startFaultyApi(server);
      await server.apply(manifests(...namespaces('shop', 'other')));
    }, TIMEOUT);
    afterEach(async () => {
      await stopSources();
      faulty.set({});
      for (const kinds of ['oidc', 'secrets,services,psvc']) {
        await server.kubectl(['delete', kinds, '--all', '-n', 'shop', '--wait=false']);
      }
    });
    afterAll(async () => {
      await faulty?.stop();
      await server?.stop();
    }, TIMEOUT);

    const value = (one: StartedSource, name: string): unknown => one.source.objects().get(`Secret/shop/${name}`)?.value;
    const data = (one: StartedSource, name: string): unknown => own(value(one, name), 'data');
    const label = (one: StartedSource, name: string): unknown =>
      own(own(own(value(one, name), 'metadata'), 'labels'), 'postern.dev/secret');

    it('only those that something refers to are seen, and only labelled ones and certificates are ever asked for', async () => {
      await server.apply(
        manifests(
          secret('shop', 'used'),
          secret('shop', 'unused'),
          secret('shop', 'unlabelled', { labelled: false, data: { 'client-secret': 'not-for-postern' } }),
          secret('other', 'elsewhere', { labelled: false, data: { key: 'not-for-postern' } }),
          plugin('shop', 'a', 'used'),
          plugin('shop', 'b', 'unlabelled'),
          plugin('shop', 'c', 'missing'),
        ),
      );
      const seen: string[] = [];
      faulty.set({
        line(line, call) {
          if (call.path.endsWith('/secrets')) seen.push(line);
          return line;
        },
      });
      faulty.forget();
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      expect(data(one, 'used')).toEqual({ 'client-secret': SESAME });
      expect(label(one, 'used')).toBe('true');
      expect(value(one, 'unused')).toBeUndefined();
      expect(value(one, 'unlabelled')).toMatchObject({ type: 'Opaque', data: {} });
      expect(label(one, 'unlabelled')).toBeUndefined();
      expect(value(one, 'missing')).toBeUndefined();

      const calls = faulty.calls().filter(({ path }) => path.includes('/secrets'));
      expect(calls.length).toBeGreaterThan(4);
      expect(calls.filter((call) => !asksForSelectedOnly(call))).toEqual([]);
      expect(calls.filter(({ verb }) => verb !== 'list' && verb !== 'watch')).toEqual([]);
      expect(seen.join('')).not.toContain(Buffer.from('not-for-postern').toString('base64'));
    });

    it('data comes when something refers to it, and goes when nothing does any more', async () => {
      await server.apply(manifests(secret('shop', 'late')));
      const one = await startSource(server.kubeconfig);
      await one.started;
      expect(value(one, 'late')).toBeUndefined();
      await server.apply(manifests(plugin('shop', 'a', 'late')));
      await eventually('it is there', () => one.source.objects().has('OidcPlugin/shop/a'));
      expect(data(one, 'late')).toEqual({ 'client-secret': SESAME });
      await server.kubectl(['delete', 'oidc', 'a', '-n', 'shop']);
      await eventually('it is gone', () => value(one, 'late') === undefined);
    });

    it('F16 an edited plugin and the Secret that it points at are seen together, though the Secret is told of late', async () => {
      await server.apply(manifests(secret('shop', 'before'), plugin('shop', 'a', 'before')));
      let hold = false;
      faulty.set({
        // The watches say nothing of it: only who asks is told.
        line: (line, call) => (hold && call.path.endsWith('/secrets') ? '' : line),
      });
      const moments: string[] = [];
      const referred = (objects: ReadonlyMap<string, { readonly value: unknown }>): string =>
        String(own(own(own(objects.get('OidcPlugin/shop/a')?.value, 'spec'), 'clientSecretRef'), 'name'));
      const one = await startSource(faulty.kubeconfig, {}, (source) => {
        const objects = source.objects();
        if (!objects.has(`Secret/shop/${referred(objects)}`)) moments.push(`${referred(objects)} was not there`);
      });
      await one.started;
      hold = true;
      await server.apply(
        manifests(secret('shop', 'after', { data: { 'client-secret': 'second' } }), plugin('shop', 'a', 'after')),
      );
      await eventually('the new version is there', () => referred(one.source.objects()) === 'after');
      expect(data(one, 'after')).toEqual({ 'client-secret': Buffer.from('second').toString('base64') });
      expect(moments).toEqual([]);
    });

    it('F16 a Secret that the API server says nothing of holds up its plugin only so long', async () => {
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      faulty.set({
        answer: (call) =>
          call.path.endsWith('/secrets') && call.verb === 'list' ? { status: 500, body: 'no' } : undefined,
      });
      await server.apply(manifests(service('shop', 'mark'), plugin('shop', 'a', 'nowhere')));
      await eventually('the other object is there', () => one.source.objects().has('Service/shop/mark'));
      expect(one.source.objects().has('OidcPlugin/shop/a')).toBe(false);
      await eventually('the plugin is there without it', () => one.source.objects().has('OidcPlugin/shop/a'));
      expect(value(one, 'nowhere')).toBeUndefined();
    });

    it('a rotation is seen; a label that is taken away counts at once, and its return too', async () => {
      await server.apply(manifests(secret('shop', 's'), plugin('shop', 'a', 's')));
      const one = await startSource(server.kubeconfig);
      await one.started;
      await server.apply(manifests(secret('shop', 's', { data: { 'client-secret': 'rotated' } })));
      const rotated = Buffer.from('rotated').toString('base64');
      await eventually('it is rotated', () => own(data(one, 's'), 'client-secret') === rotated);

      await server.kubectl(['label', 'secret', 's', '-n', 'shop', 'postern.dev/secret-']);
      await eventually(
        'its data is gone',
        () => data(one, 's') === undefined || own(data(one, 's'), 'client-secret') === undefined,
      );
      await eventually('it is known to be there', () => value(one, 's') !== undefined);
      expect(value(one, 's')).toMatchObject({ type: 'Opaque', data: {} });

      await server.kubectl(['label', 'secret', 's', '-n', 'shop', 'postern.dev/secret=true']);
      await eventually('it is there again', () => own(data(one, 's'), 'client-secret') === rotated);
      await server.kubectl(['delete', 'secret', 's', '-n', 'shop']);
      await eventually('it is gone', () => value(one, 's') === undefined);
    });

    it('a certificate needs no label; one that has both is one', async () => {
      const tls = { type: 'kubernetes.io/tls', data: { 'tls.crt': CERTIFICATE, 'tls.key': KEY } };
      await server.apply(manifests(secret('shop', 'tls', { ...tls, labelled: false }), secret('shop', 'both', tls)));
      await server.apply(manifests(plugin('shop', 'a', 'tls'), plugin('shop', 'b', 'both')));
      const one = await startSource(server.kubeconfig);
      await one.started;
      expect(own(data(one, 'tls'), 'tls.crt')).toBe(Buffer.from(CERTIFICATE).toString('base64'));
      expect(value(one, 'tls')).toMatchObject({ type: 'kubernetes.io/tls' });
      expect(label(one, 'tls')).toBeUndefined();
      expect(label(one, 'both')).toBe('true');
      await server.kubectl(['label', 'secret', 'both', '-n', 'shop', 'postern.dev/secret-']);
      await eventually('the label is gone, the certificate is not', () => label(one, 'both') === undefined);
      expect(own(data(one, 'both'), 'tls.crt')).toBeDefined();
      await server.kubectl(['label', 'secret', 'tls', '-n', 'shop', 'postern.dev/secret=true']);
      await eventually('the label is there', () => label(one, 'tls') === 'true');
      await server.kubectl(['delete', 'secret', 'both', 'tls', '-n', 'shop']);
      await eventually('both are gone', () => value(one, 'both') === undefined && value(one, 'tls') === undefined);
    });

    it('what settings need is held although no object refers to it, whether its namespace is watched or not', async () => {
      await server.apply(manifests(secret('shop', 'pinned'), secret('other', 'pinned')));
      const one = await startSource(server.kubeconfig, {
        namespaces: ['shop'],
        pinnedSecrets: ['shop/pinned', 'other/pinned'],
      });
      await one.started;
      expect(data(one, 'pinned')).toEqual({ 'client-secret': SESAME });
      expect(own(one.source.objects().get('Secret/other/pinned')?.value, 'data')).toEqual({ 'client-secret': SESAME });
    });
  },
);

/** A list of labelled ones, of certificates, or a table without objects. */
function asksForSelectedOnly({ query, accept }: FaultyCall): boolean {
  return (
    query.get('labelSelector') === 'postern.dev/secret=true' ||
    (query.get('fieldSelector') ?? '').split(',').includes('type=kubernetes.io/tls') ||
    (accept.includes('as=Table') && query.get('includeObject') === 'None')
  );
}
