import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { certificateFaults } from '../../../src/proxy/tls/certificate-fault.ts';
import {
  type BrokenCertificate,
  CertificateStore,
  type DefaultCertificate,
} from '../../../src/proxy/tls/certificate-store.ts';
import { parseAuthority } from '../../../src/resources/hostname.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { openssl } from '../../support/parts.ts';
import { eventually } from '../support/gateway.ts';
import { BROKEN_PAIR, NO_PAIR, offered, type Pair } from './certificates.ts';

const rsaKey = (bits = 2048): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe.skipIf(openssl.missing)(`certificates ${openssl.why}`, () => {
  const authority = privateAuthority('test CA');
  afterAll(() => authority.remove());
  const [one, two, three] = ['one', 'two', 'three'].map((name) => authority.issue([`DNS:${name}.example`]));
  if (one === undefined || two === undefined || three === undefined) throw new Error('no certificates');

  const newStore = (now = () => performance.now()): { store: CertificateStore; broken: BrokenCertificate[] } => {
    const broken: BrokenCertificate[] = [];
    return { store: new CertificateStore({ now, onBroken: (each) => broken.push(each) }), broken };
  };
  const fallback = (pair: Pair): DefaultCertificate => ({
    secret: namespacedName('infra', 'default'),
    certificate: pair.cert,
    key: new Redacted(pair.key),
  });
  const host = (text: string) => {
    const parsed = parseAuthority(text);
    if (parsed === undefined) throw new Error(text);
    return parsed;
  };

  describe('the store', () => {
    it('chooses as hosts are matched: exact, the longest wildcard, `*`; else the default', () => {
      const { store } = newStore();
      store.update(
        offered({
          'a.example': ['exact', one],
          '*.example': ['short', two],
          '*.b.example': ['long', three],
        }),
      );
      const [exact, short, long] = ['a.example', 'x.example', 'x.b.example'].map((name) => store.contextFor(name));
      expect(new Set([exact, short, long, undefined]).size).toBe(4);
      expect(store.contextFor('x.a.example')).toBe(short);
      expect(store.contextFor('y.x.b.example')).toBe(long);
      expect(store.contextFor('b.example')).toBe(short);
      expect(store.contextFor('example')).toBeUndefined();
      expect(store.contextFor('other.test')).toBeUndefined();
      store.update(offered({ '*': ['any', one], 'a.example': ['exact', one] }));
      expect(store.contextFor('other.test')).toBe(exact);
    });

    it('A030 A031 reads a name in any spelling, and nothing into what is none', () => {
      const { store } = newStore();
      store.update(offered({ 'a.example': ['exact', one] }));
      for (const name of ['a.example', 'A.EXAMPLE', 'a.Example.']) expect(store.contextFor(name), name).toBeDefined();
      for (const name of [
        '',
        '.',
        'a.example..',
        'a_.exa mple',
        '\0',
        'a.example\0',
        '[::1]',
        '192.0.2.1',
        '__proto__',
      ]) {
        expect(store.contextFor(name), name).toBeUndefined();
      }
    });

    it('A035 hosts share a certificate where it is of one Secret, and the default with those that have none', () => {
      const { store } = newStore();
      store.update(
        offered({
          'a.example': ['one', one],
          'b.example': ['one', one],
          'c.example': ['two', two],
          '*.w.example': ['three', three],
        }),
      );
      const shares = (a: string | undefined, b: string): boolean =>
        store.sharesCertificate(a === undefined ? undefined : host(a), host(b));
      expect(shares('a.example', 'b.example')).toBe(true);
      expect(shares('x.w.example', 'y.w.example')).toBe(true);
      expect(shares('other.test', 'another.test')).toBe(true);
      expect(shares(undefined, 'other.test')).toBe(true);
      expect(shares('a.example', 'c.example')).toBe(false);
      expect(shares('a.example', 'other.test')).toBe(false);
      expect(shares('other.test', 'a.example')).toBe(false);
      expect(shares(undefined, 'a.example')).toBe(false);
      expect(shares('a.example', 'x.w.example')).toBe(false);
    });

    it('F50 a new pair replaces the old one; a broken or missing one leaves it, and is told of once', async () => {
      const { store, broken } = newStore();
      const shown = () => store.contextFor('a.example');
      store.update(offered({ 'a.example': ['tls', one], 'b.example': ['tls', one] }));
      const first = shown();
      expect(first).toBeDefined();
      expect(store.contextFor('b.example')).toBe(first);
      store.update(offered({ 'a.example': ['tls', two], 'b.example': ['tls', two] }));
      await eventually(() => shown() !== first, 'the new one is shown');
      const second = shown();
      const pairs = [
        BROKEN_PAIR,
        { cert: two.cert, key: three.key },
        { cert: two.cert, key: '' },
        { cert: two.cert, key: rsaKey() },
      ];
      for (const pair of pairs) {
        for (let times = 0; times < 2; times++) {
          const before = broken.length;
          store.update(offered({ 'a.example': ['tls', pair], 'b.example': ['tls', pair] }));
          await eventually(() => times === 1 || broken.length > before, 'it is told of');
          expect(shown()).toBe(second);
        }
      }
      expect(broken.map(({ secret, route, kept }) => [secret, route, kept])).toEqual(
        Array.from({ length: 4 }, () => ['shop/tls', 'shop/tls', true]),
      );
      expect(broken.map(({ fault }) => fault).join('\n')).not.toContain(two.key.slice(40, 60));
      store.update(offered({ 'a.example': ['tls', NO_PAIR] }));
      expect(shown()).toBe(second);
      expect(broken.length).toBe(4);
      store.update(offered({ 'a.example': ['tls', three] }));
      await eventually(() => shown() !== second, 'the repaired one is shown');
      expect(shown()).toBeDefined();
    });

    it('F50 what was never read stands in too, where the next one is broken', () => {
      const { store } = newStore();
      store.update(offered({ 'a.example': ['tls', one] }));
      store.update(offered({ 'a.example': ['tls', NO_PAIR] }));
      expect(store.contextFor('a.example')).toBeDefined();
    });

    it('F50 a host shows nobody else’s certificate: not after its Route is gone, nor when it changed hands', () => {
      const { store } = newStore();
      const next = (hosts: Parameters<typeof offered>[0]) => {
        store.update(offered({ 'a.example': ['tls', one] }));
        expect(store.contextFor('a.example')).toBeDefined();
        store.update(offered(hosts));
        return store.contextFor('a.example');
      };
      expect(next({})).toBeUndefined();
      expect(next({ 'a.example': ['other', BROKEN_PAIR] })).toBeUndefined();
      expect(next({ 'a.example': ['other', NO_PAIR, 'tls'] })).toBeDefined();
      expect(next({ 'a.example': ['tls', BROKEN_PAIR, 'another'] })).toBeDefined();
    });

    it('F50 the default is given on when it is there, replaced, and not when it is broken or gone', () => {
      const { store, broken } = newStore();
      const used: string[] = [];
      store.update(new Map(), fallback(BROKEN_PAIR));
      store.followDefault(({ certificate }) => used.push(certificate));
      expect(used).toEqual([]);
      expect(broken).toMatchObject([{ secret: 'infra/default', route: undefined, kept: false }]);
      store.update(new Map(), fallback(one));
      store.update(new Map(), fallback(one));
      store.update(new Map());
      store.update(new Map(), fallback(BROKEN_PAIR));
      store.update(new Map(), fallback(NO_PAIR));
      store.update(new Map(), fallback(two));
      expect(used).toEqual([one.cert, two.cert]);
      expect(broken.map(({ kept }) => kept)).toEqual([false, true]);
    });

    it('A163 thousands are read in slices, and a handshake waits for its own only', async () => {
      let clock = 0;
      const { store } = newStore(() => {
        clock += 1;
        return clock;
      });
      const names = Array.from({ length: 2000 }, (_, i) => `h${i}.example`);
      store.update(offered(Object.fromEntries(names.map((name) => [name, ['tls', one]] as const))));
      const read = (): number => clock;
      let turns = 0;
      let before = 0;
      let most = 0;
      expect(store.contextFor('h1999.example')).toBeDefined();
      expect(read()).toBe(0);
      while (clock < 2000) {
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, clock - before);
        before = clock;
        turns += 1;
      }
      expect(most).toBeLessThan(20);
      expect(turns).toBeGreaterThan(100);
    });

    it('T27 whoever is told of a broken one can’t stop a handshake', () => {
      const store = new CertificateStore({
        now: () => 0,
        onBroken: () => {
          throw new Error('bug');
        },
      });
      store.update(offered({ 'a.example': ['tls', BROKEN_PAIR] }));
      expect(store.contextFor('a.example')).toBeUndefined();
    });
  });

  describe('what is wrong with a certificate', () => {
    const { validTo, validFrom } = new X509Certificate(one.cert);
    const at = (time: string, pair: Pair): string | undefined =>
      certificateFaults(() => Date.parse(time))(pair.cert, new Redacted(pair.key));

    it('says what it is, without any of the key', () => {
      const during = validFrom;
      expect(at(during, one)).toBeUndefined();
      expect(at(during, { cert: 'x', key: one.key })).toBe('is no certificate in PEM form');
      expect(at(during, BROKEN_PAIR)).toBe('is no certificate in PEM form');
      expect(at(during, { cert: one.cert, key: 'x' })).toMatch(/private key in PEM form/);
      expect(at(during, { cert: one.cert, key: rsaKey() })).toBe("doesn't belong to its key");
      expect(at(during, { cert: one.cert, key: two.key })).toBe("doesn't belong to its key");
      expect(at('2000-01-01', one)).toBe(`isn't valid before ${new Date(validFrom).toISOString().slice(0, 10)}`);
      expect(at('2100-01-01', one)).toBe(`has expired on ${new Date(validTo).toISOString().slice(0, 10)}`);
    });

    it('time goes on for what is remembered; another certificate of the same key object is another', () => {
      let now = Date.parse(validFrom);
      const fault = certificateFaults(() => now);
      const key = new Redacted(one.key);
      expect(fault(one.cert, key)).toBeUndefined();
      now = Date.parse('2100-01-01');
      expect(fault(one.cert, key)).toMatch(/^has expired/);
      expect(fault(two.cert, key)).toBe("doesn't belong to its key");
    });
  });
});
