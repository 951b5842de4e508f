import { describe, expect, it } from 'vitest';
import type { ApiResponse } from '../../../src/sources/kubernetes/api.ts';
import { createSecrets, type Secrets } from '../../../src/sources/kubernetes/secrets.ts';
import { handTime } from '../../support/hand-time.ts';

interface Search {
  readonly secrets: Secrets;
  /** Names in the order in which they were looked for. */
  readonly looked: string[];
  readonly changed: string[];
  go(ms: number): Promise<void>;
}

/** Over an API server that has no Secret at all. */
function search(): Search {
  const time = handTime();
  const looked: string[] = [];
  const changed: string[] = [];
  const none = (kind: string): ApiResponse => ({
    status: 200,
    retryAfter: undefined,
    body: { kind, metadata: { resourceVersion: '1' }, items: [], columnDefinitions: [{ name: 'Name' }], rows: [] },
  });
  const secrets = createSecrets({
    api: {
      async call({ path, query, accept }) {
        const name = `${path.split('/')[4]}/${/metadata\.name=([^,]+)/.exec(query?.['fieldSelector'] ?? '')?.[1]}`;
        if (accept === undefined && query?.['labelSelector'] !== undefined) looked.push(name);
        return none(accept === undefined ? 'SecretList' : 'Table');
      },
      watch: () => Promise.reject(new Error('none')),
      close: () => Promise.resolve(),
    },
    watched: () => true,
    changed: (name) => changed.push(name),
    timers: time.timers,
    now: time.now,
  });
  return {
    secrets,
    looked,
    changed,
    async go(ms) {
      for (let gone = 0; gone < ms; gone += 500) {
        time.move(500);
        for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
      }
    },
  };
}

const referTo = ({ secrets }: Search, namespace: string, count: number): void => {
  for (let index = 0; index < count; index += 1)
    secrets.refer(`OidcPlugin/${namespace}/p${index}`, [`${namespace}/s${index}`]);
};

describe('Secrets that no watch shows', () => {
  it('invariant 8: thousands that are missing in one namespace hold up no other namespace’s', async () => {
    const one = search();
    referTo(one, 'evil', 3000);
    one.secrets.begin();
    await one.go(500);
    expect(one.looked.length).toBeLessThan(500);
    const soFar = one.looked.length;
    one.secrets.refer('OidcPlugin/shop/a', ['shop/a']);
    await one.go(500);
    expect(one.looked.indexOf('shop/a') - soFar).toBeLessThan(10);
    expect(one.secrets.settled('shop/a')).toBe(true);
    await one.secrets.idle();
    expect(new Set(one.looked).size).toBe(3001);
    one.secrets.stop();
  });

  it('are looked for again, one each second, each no more often than in 30 seconds, the namespaces in turn', async () => {
    const one = search();
    referTo(one, 'evil', 500);
    one.secrets.refer('OidcPlugin/shop/a', ['shop/a']);
    one.secrets.begin();
    await one.secrets.idle();
    one.looked.splice(0);
    await one.go(29_000);
    expect(one.looked).toEqual([]);
    await one.go(91_000);
    expect(one.looked.filter((name) => name === 'shop/a')).toHaveLength(3);
    expect(one.looked.length).toBeGreaterThan(80);
    expect(one.looked.length).toBeLessThan(93);
    expect(new Set(one.looked.filter((name) => name !== 'shop/a')).size).toBe(one.looked.length - 3);
    one.secrets.stop();
  });

  it('one that a watch shows no more is looked for at once, and one that it shows is not', async () => {
    const one = search();
    referTo(one, 'shop', 200);
    one.secrets.begin();
    await one.secrets.idle();
    const item = { name: 'shop/s100', version: '2', object: { metadata: { namespace: 'shop', name: 's100' } } };
    one.secrets.upsert('Label', item);
    one.looked.splice(0);
    await one.go(300_000);
    expect(one.looked).not.toContain('shop/s100');
    one.looked.splice(0);
    one.secrets.remove('Label', 'shop/s100');
    await one.go(2000);
    expect(one.looked).toContain('shop/s100');
    // And what nothing refers to any more is looked for no more.
    for (let index = 0; index < 200; index += 1) one.secrets.refer(`OidcPlugin/shop/p${index}`, []);
    one.looked.splice(0);
    await one.go(120_000);
    expect(one.looked).toEqual([]);
    one.secrets.stop();
  });

  it('one that was let go of while it waited for its turn is found when it is needed again', async () => {
    const one = search();
    referTo(one, 'shop', 50);
    one.secrets.begin();
    one.secrets.upsert('Label', { name: 'shop/late', version: '2', object: { metadata: {}, data: { key: 'a' } } });
    one.secrets.refer('OidcPlugin/shop/late', ['shop/late']);
    one.secrets.refer('OidcPlugin/shop/late', []);
    await one.secrets.idle();
    one.looked.splice(0);
    one.secrets.refer('OidcPlugin/shop/late', ['shop/late']);
    await one.secrets.idle();
    expect(one.looked).toEqual(['shop/late']);
    one.secrets.stop();
  });
});
