import { describe, expect, it } from 'vitest';
import { definitions } from '../../../../scripts/crd/definitions.ts';
import { own } from '../../../../src/resources/plain.ts';
import { fitted } from '../../../../src/sources/kubernetes/status/fitted.ts';
import { wantedStatus } from '../../../../src/sources/kubernetes/status/wanted.ts';
import { HEALTHY, report } from './harness.ts';

const check = {
  type: 'object',
  required: ['name', 'result'],
  properties: { name: { type: 'string' }, result: { type: 'string', enum: ['Passed', 'Failed'] } },
};
const schema = {
  type: 'object',
  properties: {
    exposure: { type: 'string', enum: ['Public', 'Protected'] },
    routes: { type: 'integer' },
    hosts: { type: 'array', items: { type: 'string' } },
    checks: { type: 'array', items: check },
    target: { type: 'string' },
  },
};

describe('what fits a schema', () => {
  it.each([
    [
      'what it has',
      { exposure: 'Public', routes: 0, hosts: ['a'] },
      { exposure: 'Public', routes: 0, hosts: ['a'] },
      [],
    ],
    ['a field that it lacks', { routes: 1, newer: { a: 1 } }, { routes: 1 }, ['status.newer']],
    ['a value that it lacks', { routes: 1, exposure: 'Denied' }, { routes: 1 }, ['status.exposure']],
    [
      'a field of a member, said once',
      {
        checks: [
          { name: 'a', result: 'Passed', took: 1 },
          { name: 'b', result: 'Failed', took: 2 },
        ],
      },
      {
        checks: [
          { name: 'a', result: 'Passed' },
          { name: 'b', result: 'Failed' },
        ],
      },
      ['status.checks[].took'],
    ],
    [
      'a member that is not whole without what it lacks',
      {
        checks: [
          { name: 'a', result: 'Skipped' },
          { name: 'b', result: 'Passed' },
        ],
      },
      { checks: [{ name: 'b', result: 'Passed' }] },
      ['status.checks[].result'],
    ],
    ['what is not there', { routes: undefined, other: undefined }, {}, []],
  ])('%s', (_, value, expected, leftOut) => {
    expect(fitted(value, schema, 'status')).toEqual({ value: expected, leftOut });
  });

  it.each([[undefined], [null], [{}], [{ properties: 'none' }], [{ 'x-kubernetes-preserve-unknown-fields': true }]])(
    'everything, where the schema says nothing: %j',
    (nothing) => {
      const value = { exposure: 'Denied', newer: [1] };
      expect(fitted(value, nothing, 'status')).toEqual({ value, leftOut: [] });
    },
  );

  it('everything that is written, by our own definitions', () => {
    const status = wantedStatus(
      report('Route/shop/a', {
        hosts: ['a'],
        redirectURIs: ['https://a/cb'],
        authorization: 'Rules',
        exposure: 'Denied',
      }),
      HEALTHY,
      undefined,
      undefined,
      0,
    );
    const route = [...definitions().values()].find((crd) => own(own(own(crd, 'spec'), 'names'), 'kind') === 'Route');
    const versions = own(own(route, 'spec'), 'versions');
    const openAPI = own(own(Array.isArray(versions) ? versions[0] : undefined, 'schema'), 'openAPIV3Schema');
    const { value, leftOut } = fitted(status, own(own(openAPI, 'properties'), 'status'), 'status');
    expect(leftOut).toEqual([]);
    expect(value).toEqual(JSON.parse(JSON.stringify(status)));
  });
});
