import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oidcKind } from '../../src/plugins/oidc/kind.ts';
import { parseObject } from '../../src/resources/parse.ts';
import { formatPath } from '../../src/resources/problem.ts';

/** What is said of an object, as `field: message`. */
function told(kind: string, spec: unknown): readonly string[] {
  const metadata = { namespace: 'shop', name: 'one' };
  const parsed = parseObject({ apiVersion: 'postern.dev/v1alpha1', kind, metadata, spec }, [oidcKind]);
  if (!('ok' in parsed) || parsed.ok) throw new Error('was not refused');
  return parsed.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

const GUARD = { kind: 'OidcPlugin', name: 'okta' };

describe('every problem of an object at once, though its schema refuses it', () => {
  it('of a Route: what members of lists have is told with their own numbers', () => {
    const paths = [
      { type: 'Prefx', value: '/a' },
      { type: 'Prefix', value: 'b' },
      { value: '/c' },
      { type: 'Exact', value: '/*' },
    ];
    expect(
      told('Route', {
        hosts: [7, 'Shop.Example.com', 'ok.example.com', 'ok.example.com'],
        paths,
        serviceRef: { nam: 'orders' },
        methods: ['GET', 'get', 'GET'],
        plugins: [GUARD, { ...GUARD, name: 'Bad Name' }, GUARD],
        acces: 'Public',
        timeouts: { response: '1d', idle: '0.5s' },
      }),
    ).toEqual([
      expect.stringMatching(/^spec\.hosts\[0\]: must be text/),
      expect.stringMatching(/^spec\.paths\[0\]\.type: must be Prefix, Exact or/),
      expect.stringMatching(/^spec\.paths\[2\]\.type: /),
      expect.stringMatching(/^spec\.methods\[1\]: /),
      expect.stringMatching(/^spec\.serviceRef\.name: is missing/),
      expect.stringMatching(/^spec\.serviceRef\.nam: is no field here; did you mean name\?/),
      expect.stringMatching(/^spec\.plugins\[1\]\.name: /),
      expect.stringMatching(/^spec\.timeouts\.response: /),
      expect.stringMatching(/^spec\.timeouts\.idle: /),
      expect.stringMatching(/^spec\.acces: is no field here; did you mean access\?/),
      expect.stringMatching(/^spec\.hosts\[1\]: .*write "shop\.example\.com"/),
      expect.stringMatching(/^spec\.hosts\[3\]: is there twice/),
      expect.stringMatching(/^spec\.paths\[1\]\.value: must begin with \//),
      expect.stringMatching(/^spec\.paths\[3\]\.value: paths have no wildcards/),
      expect.stringMatching(/^spec\.methods\[2\]: /),
      expect.stringMatching(/^spec\.plugins\[2\]: a plugin of this kind is named above/),
    ]);
  });

  it('of a Route without hosts and paths', () => {
    expect(told('Route', { serviceRef: { name: 'a' }, headers: [{ name: 'Host', value: 'x' }] })).toEqual([
      expect.stringMatching(/^spec\.hosts: is missing/),
      expect.stringMatching(/^spec\.paths: is missing/),
      expect.stringMatching(/^spec\.headers\[0\]\.name: can’t be matched/),
    ]);
  });

  it('of a Service: what is missing only because it is misspelt or wrong is not said to be missing', () => {
    expect(told('Service', { ulr: 'http://a', plugins: [GUARD, GUARD] })).toEqual([
      expect.stringMatching(/^spec\.ulr: is no field here; did you mean url\?/),
      expect.stringMatching(/^spec\.plugins\[1\]: /),
    ]);
    expect(told('Service', { url: 7 })).toEqual([expect.stringMatching(/^spec\.url: must be text/)]);
    expect(told('Service', { colour: 'red' })).toEqual([
      expect.stringMatching(/^spec\.colour: is no field here/),
      expect.stringMatching(/^spec: names no backend/),
    ]);
  });

  it('of an OidcPlugin', () => {
    expect(
      told('OidcPlugin', {
        isuer: 'https://a.example',
        clientID: 'a',
        scopes: ['email'],
        redirectPath: 'callback',
        session: { idleTimeout: '1s', cookie: { sameSite: 'Strict' } },
      }),
    ).toEqual([
      expect.stringMatching(/^spec\.issuer: is missing/),
      expect.stringMatching(/^spec\.session\.cookie\.sameSite: must be Lax or None/),
      expect.stringMatching(/^spec\.isuer: is no field here; did you mean issuer\?/),
      expect.stringMatching(/^spec\.clientSecretRef: is missing/),
      expect.stringMatching(/^spec\.scopes: must hold openid/),
      expect.stringMatching(/^spec\.redirectPath: /),
      expect.stringMatching(/^spec\.session\.idleTimeout: must be a time from 1m to 720h/),
    ]);
  });

  it('a specification that is no object says only that', () => {
    for (const spec of [undefined, null, 7, 'a', []]) expect(told('Route', spec)).toHaveLength(1);
  });

  it('no problem is of a stand-in, whatever is wrong', () => {
    const anything = fc.dictionary(
      fc.constantFrom('hosts', 'paths', 'serviceRef', 'plugins', 'headers', 'access', '__proto__', 'constructor', 'x'),
      fc.anything({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom('Route', 'Service', 'OidcPlugin'), (spec, kind) => {
        const words = told(kind, { ...spec, notAField: 1 });
        expect(words.length).toBeGreaterThan(0);
        expect(words.join('\n')).not.toMatch(/stand-in/);
      }),
    );
  });
});
