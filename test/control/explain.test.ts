import { describe, expect, it } from 'vitest';
import { explain, explainRequest } from '../../src/control/explain.ts';
import { describeControl } from '../../src/control/view.ts';
import { leaks, plant } from '../observe/planted.ts';
import { type Harness, harness } from './harness.ts';
import { route, secret, service, token } from './objects.ts';

async function shop(secretValue = 'one'): Promise<Harness> {
  const h = harness();
  h.source.set('s', service('orders'));
  h.source.set('r', route('orders', 'orders', 'door', { methods: ['GET'] }));
  h.source.set('o', route('open', 'orders'));
  h.source.set('x', route('broken', 'nothing'));
  h.source.set('v', route('v1', 'orders', undefined, { stripPath: true }));
  h.source.set('p', token('door'));
  h.source.set('k', secret('door', secretValue));
  await h.control.start();
  return h;
}

describe('explain', () => {
  it.each([
    ['GET', 'shop.example.com', '/orders/7?x=1', undefined, 'Protected'],
    ['GET', 'SHOP.example.com.:8080', '/orders', undefined, 'Protected'],
    ['POST', 'shop.example.com', '/orders', 405, 'MethodNotAllowed'],
    ['POST', 'shop.example.com', '/open', undefined, 'Public'],
    ['GET', 'shop.example.com', '/broken', 503, 'Denied'],
    ['GET', 'shop.example.com', '/nothing', 404, 'NotFound'],
    ['GET', 'other.example.com', '/orders', 404, 'NoHost'],
    ['GET', 'shop.example.com', '/_oidc/x', 404, 'ReservedNotFound'],
    ['GET', 'shop.example.com', '/open/../orders', 400, 'BadTarget'],
    ['GET', 'shop.example.com', '/open/%2e%2e/orders', 400, 'BadTarget'],
    ['GET', 'shop.example.com', '/open%2Fx', 400, 'Ambiguous'],
    ['GET', 'shop.example.com', '/open/a%2Fb', 400, 'BadTarget'],
    ['GET', 'shop.example.com', '/v1/x', undefined, 'Public'],
    ['GET', 'shop.example.com', '/v1/orders/7', 403, 'Guarded'],
    ['GET', 'shop.example.com', '/v1/_oidc/x', 400, 'BadTarget'],
    ['GET', 'bad host', '/', 400, 'BadTarget'],
    ['get', 'shop.example.com', '/', 400, 'BadTarget'],
    ['TRACE', 'shop.example.com', '/', 405, 'BadTarget'],
    ['GET', 'shop.example.com', 'orders', 400, 'BadTarget'],
  ])('%s %s %s is %s %s', async (method, host, path, status, answer) => {
    const table = (await shop()).control.current()?.table;
    if (table === undefined) throw new Error('no table');
    const found = explain(table, { method, host, path, headers: new Map() });
    expect(found.answer).toBe(answer);
    expect(found.status).toBe(status);
    expect(found.why).toMatch(/^[A-Z`].*\.$/);
  });

  it('names the Route and what guards it', async () => {
    const table = (await shop()).control.current()?.table;
    if (table === undefined) throw new Error('no table');
    const found = explain(table, { method: 'GET', host: 'shop.example.com', path: '/orders/7', headers: new Map() });
    expect(found).toMatchObject({
      host: 'shop.example.com',
      path: '/orders/7',
      why: 'SharedToken/shop/door must prove an identity; any account of theirs is let through to http://127.0.0.1:8080.',
      matched: {
        route: 'shop/orders',
        host: 'shop.example.com',
        path: 'Prefix /orders',
        plugins: ['SharedToken/shop/door'],
      },
    });
  });
});

describe('view of the control loop', () => {
  it('shows table, objects and plugins with their state', async () => {
    const view = describeControl((await shop()).control);
    expect(view).toMatchObject({
      generation: 1,
      objects: {
        'Route/shop/orders': { exposure: 'Protected' },
        'Route/shop/broken': {
          exposure: 'Denied',
          problems: [{ reason: 'BackendNotFound', field: 'spec.serviceRef.name' }],
        },
      },
      plugins: { 'SharedToken/shop/door': { identity: 'shop/door', status: { status: 'True' } } },
      hosts: { 'shop.example.com': {} },
    });
  });

  it('A180 has no secret in it', async () => {
    const planted = plant('token');
    const h = await shop(planted.value);
    expect(h.life.instances[0]?.token).toBe(planted.value);
    expect(leaks(JSON.stringify(describeControl(h.control)), [planted])).toEqual([]);
  });

  it('is nothing before there is a table, and neither is an explanation', async () => {
    const { control } = harness();
    const question = { method: 'GET', host: 'shop.example.com', path: '/a/../b', headers: new Map<string, string>() };
    expect(describeControl(control)).toBeUndefined();
    expect(explainRequest(control, question)).toBeUndefined();
    expect(explainRequest((await shop()).control, question)).toMatchObject({ status: 400, fault: 'DotSegment' });
  });
});
