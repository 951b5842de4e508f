import { describe, expect, it } from 'vitest';
import { type Json, parse, parsed, problems, route, routeClaim, routeOf } from './objects.ts';

const paths = (...values: string[]): Json => ({ paths: values.map((value) => ({ type: 'Prefix', value })) });
const drop = (object: Json, field: string): Json => {
  const spec = { ...(typeof object['spec'] === 'object' ? object['spec'] : {}) };
  return { ...object, spec: Object.fromEntries(Object.entries(spec).filter(([key]) => key !== field)) };
};

describe('a valid Route', () => {
  it('is its spec with every reference and default written out', () => {
    expect(routeOf(route())).toEqual({
      kind: 'Route',
      key: 'Route/shop/orders',
      name: 'shop/orders',
      meta: { namespace: 'shop', name: 'orders', uid: undefined, generation: undefined, creationTimestamp: undefined },
      hosts: ['shop.example.com'],
      heldHosts: [],
      paths: [{ type: 'Prefix', value: '/orders' }],
      methods: undefined,
      headers: [],
      service: 'shop/orders',
      plugins: [{ kind: 'LoginPlugin', name: 'shop/okta' }],
      access: undefined,
      clientAuthorization: undefined,
      authorization: undefined,
      encodedSlashes: 'Reject',
      timeouts: { response: undefined, idle: undefined },
    });
  });

  it('every field', () => {
    expect(
      routeOf(
        route({
          hosts: ['*.example.com', 'localhost'],
          paths: [
            { type: 'Exact', value: '/a' },
            { type: 'Prefix', value: '/a/' },
            { type: 'Prefix', value: '/' },
          ],
          methods: ['GET', 'HEAD', 'POST'],
          headers: [
            { name: 'X-Tenant', value: 'a b' },
            { name: 'x-empty', value: '' },
          ],
          serviceRef: { name: 'other', namespace: 'team' },
          plugins: [
            { kind: 'LoginPlugin', name: 'okta', namespace: 'team' },
            { kind: 'Other', name: 'x' },
          ],
          authorization: { rules: [{ name: 'any' }] },
          encodedSlashes: 'Keep',
          maxRequestBody: '10Mi',
          timeouts: { response: '1m30s', idle: '24h' },
        }),
      ),
    ).toMatchObject({
      hosts: ['*.example.com', 'localhost'],
      // A Prefix means the same with and without its final slash.
      paths: [
        { type: 'Exact', value: '/a' },
        { type: 'Prefix', value: '/a' },
        { type: 'Prefix', value: '/' },
      ],
      methods: ['GET', 'HEAD', 'POST'],
      headers: [
        { name: 'x-tenant', value: 'a b' },
        { name: 'x-empty', value: '' },
      ],
      service: 'team/other',
      plugins: [
        { kind: 'LoginPlugin', name: 'team/okta' },
        { kind: 'Other', name: 'shop/x' },
      ],
      authorization: { rules: [{ name: 'any' }] },
      encodedSlashes: 'Keep',
      maxRequestBody: 10 * 1024 * 1024,
      timeouts: { response: 90_000, idle: 86_400_000 },
    });
  });

  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['1Ki', 1024],
    ['2k', 2000],
    ['5M', 5_000_000],
    ['999999Gi', 999_999 * 2 ** 30],
    ['999999999999999', 999_999_999_999_999],
  ])('a size of %s is %d bytes, to the byte', (maxRequestBody, bytes) => {
    expect(routeOf(route({ maxRequestBody })).maxRequestBody).toBe(bytes);
    expect(Number.isSafeInteger(bytes)).toBe(true);
  });

  it.each(['', '-1', '1.5Mi', '10MB', '10 Mi', '1e6', '0x10', '10mi', '1000000Gi', '1000000000000000', '1Ti'])(
    'a size of %j is a problem, never no limit',
    (maxRequestBody) => {
      expect(problems(route({ maxRequestBody }))).toHaveLength(1);
    },
  );

  it('A170 config is data: quotes, templates and code stay what they are, or are refused', () => {
    const value = `\`$\{process.exit()}\` "}; # ' <script>`;
    expect(routeOf(route({ headers: [{ name: 'x-a', value }] })).headers).toEqual([{ name: 'x-a', value }]);
    for (const hostile of ['/a"};return', '/a\nset', '/`$`', "/a' or", '/{x}', '/a#', '/a b'])
      expect(problems(route(paths(hostile)))).toHaveLength(1);
    expect(routeOf(route(paths("/a'(1)$"))).paths).toEqual([{ type: 'Prefix', value: "/a'(1)$" }]);
  });
});

describe('problems say what to write', () => {
  it.each<[Json, string]>([
    [
      { hosts: ['Shop.Example.com'] },
      'spec.hosts[0] must be a DNS name in lower case, without port, path and final dot; write "shop.example.com"',
    ],
    [
      { hosts: ['shop.example.com.'] },
      'spec.hosts[0] must be a DNS name in lower case, without port, path and final dot; write "shop.example.com"',
    ],
    [
      { hosts: ['https://shop.example.com:8443/x'] },
      'spec.hosts[0] must be a DNS name in lower case, without port, path and final dot; write "shop.example.com"',
    ],
    [
      { hosts: ['10.0.0.1'] },
      'spec.hosts[0] must be a DNS name in lower case, without port, path and final dot, or *. and such a name, or *',
    ],
    [{ hosts: ['a', 'a'] }, 'spec.hosts[1] is there twice; leave one out'],
    [{ hosts: [] }, 'spec.hosts must have at least 1 member'],
    [{ hosts: 'shop.example.com' }, 'spec.hosts must be a list; write [...] or lines that begin with -'],
    [{ hosts: [5] }, 'spec.hosts[0] must be text; put it in quotes'],
    [
      { hosts: ['*'] },
      'spec.hosts[0] * can’t be protected, for a login needs a host to come back to; write the host names',
    ],
    [paths('orders'), 'spec.paths[0].value must begin with /'],
    [paths('/a/../b'), 'spec.paths[0].value has a segment . or .., which no request may have; write where it leads to'],
    [paths('//a//b'), 'spec.paths[0].value must be in canonical form; write "/a/b"'],
    [paths('/%61'), 'spec.paths[0].value must be in canonical form; write "/a"'],
    [paths('/caf%c3%a9'), 'spec.paths[0].value must be in canonical form; write "/caf%C3%A9"'],
    [
      paths('/café'),
      'spec.paths[0].value has a character that a path can’t hold; it has no query, and others are escaped as UTF-8, as in %20',
    ],
    [
      paths('/a?b'),
      'spec.paths[0].value has a character that a path can’t hold; it has no query, and others are escaped as UTF-8, as in %20',
    ],
    [
      paths('/api/*'),
      'spec.paths[0].value paths have no wildcards, and a Prefix covers all that is below it; write "/api"',
    ],
    [paths('/a%28b%29'), 'spec.paths[0].value servers read this path in more than one way; write "/a(b)"'],
    [paths('/a', '/a/'), 'spec.paths[1].value is there twice; leave one out'],
    [paths('/_oidc'), 'spec.paths[0].value /_oidc is Postern’s own on every host; write another path'],
    [paths('/_oidc/okta/callback'), 'spec.paths[0].value /_oidc is Postern’s own on every host; write another path'],
    [
      { paths: [{ type: 'RegularExpression', value: 'orders' }] },
      'spec.paths[0].value must begin with / or ^/, as every path does; it has to match the whole path',
    ],
    [
      { paths: ['/a.*', '/a.*'].map((value) => ({ type: 'RegularExpression', value })) },
      'spec.paths[1].value is there twice; leave one out',
    ],
    [{ queryParams: [{ name: 'a b', value: '1' }] }, 'spec.queryParams[0].name must be letters, digits, and - _ . ~'],
    [
      { queryParams: ['v', 'V'].map((name) => ({ name, value: '1' })) },
      'spec.queryParams[1].name is there twice, or differs from another one only by case or by . and _; leave one out',
    ],
    [
      { queryParams: [{ name: 'v', value: 'a\u0000b' }] },
      'spec.queryParams[0].value has a control character or half a character; write the value as it is meant, without escapes',
    ],
    [{ paths: [{ type: 'prefix', value: '/' }] }, 'spec.paths[0].type must be Prefix, Exact or RegularExpression'],
    [{ paths: [{ value: '/' }] }, 'spec.paths[0].type must be Prefix, Exact or RegularExpression'],
    [{ methods: ['get'] }, 'spec.methods[0] must be a method in capital letters, such as GET'],
    [{ methods: ['GETT'] }, 'spec.methods[0] is no known method; write GET, POST, PUT or the like'],
    [{ methods: ['TRACE'] }, 'spec.methods[0] TRACE is never forwarded; leave it out'],
    [{ methods: ['HEAD'] }, 'spec.methods[0] HEAD is handled as GET; write GET'],
    [
      { headers: [{ name: 'Host', value: 'x' }] },
      'spec.headers[0].name can’t be matched, for Postern reads or writes it itself; match another one',
    ],
    [
      { headers: [{ name: 'X-Forwarded-User', value: 'x' }] },
      'spec.headers[0].name is an identity header, which is removed from every request; match another one',
    ],
    [
      { headers: [{ name: 'X_Forwarded_User', value: 'x' }] },
      'spec.headers[0].name has _ or ., which other servers take for -; write -',
    ],
    [
      { headers: [{ name: 'X-Forwarded-Host', value: 'x' }] },
      'spec.headers[0].name can’t be matched, for Postern reads or writes it itself; match another one',
    ],
    [
      { headers: [{ name: 'a', value: 'x ' }] },
      'spec.headers[0].value must be visible ASCII characters, with blanks only between them',
    ],
    [
      {
        headers: [
          { name: 'a', value: 'x' },
          { name: 'A', value: 'y' },
        ],
      },
      'spec.headers[1].name is there twice; leave one out',
    ],
    [
      { serviceRef: { name: '../other' } },
      'spec.serviceRef.name must be a-z, 0-9, - and ., with a letter or digit at both ends, at most 253 characters',
    ],
    [
      { serviceRef: { name: 'a', nmespace: 'b' } },
      'spec.serviceRef.nmespace is no field here; did you mean namespace?',
    ],
    [
      {
        plugins: [
          { kind: 'A', name: 'x' },
          { kind: 'A', name: 'y' },
        ],
      },
      'spec.plugins[1] a plugin of this kind is named above; keep one of them',
    ],
    [{ access: 'public' }, 'spec.access must be Public'],
    [
      { plugins: [], access: 'Public', authorization: { rules: [{ name: 'a' }] } },
      'spec.authorization rules need somebody who logged in; name a plugin instead of access: Public',
    ],
    [{ authorization: { rules: [] } }, 'spec.authorization.rules must have at least 1 member'],
    [
      { authorization: { rules: [{ name: 'a', group: ['x'] }] } },
      'spec.authorization.rules[0].group is no field here; did you mean groups?',
    ],
    [
      { authorization: { rules: [{ name: 'a', emailDomains: ['@corp.com'] }] } },
      'spec.authorization.rules[0].emailDomains[0] must be a domain in lower case, such as example.com, without @',
    ],
    [{ timeouts: { response: '0s' } }, 'spec.timeouts.response must be from 1ms to 24h'],
    [{ timeouts: { idle: '25h' } }, 'spec.timeouts.idle must be from 1ms to 24h'],
    [{ timeouts: { idle: '5 minutes' } }, 'spec.timeouts.idle must be a duration such as 10s, 1h30m or 500ms'],
    [{ timeouts: { idle: 5 } }, 'spec.timeouts.idle must be text; put it in quotes'],
    [{ plugin: [] }, 'spec.plugin is no field here; did you mean plugins?'],
    [{ acces: 'Public' }, 'spec.acces is no field here; did you mean access?'],
    [{ Hosts: [] }, 'spec.Hosts is no field here; did you mean hosts?'],
    [{ plugins: null }, 'spec.plugins has no value; write a list or leave the field out'],
  ])('%j', (spec, message) => {
    expect(problems(route(spec))).toEqual([message]);
  });

  it('what is missing', () => {
    expect(problems(drop(drop(drop(route(), 'hosts'), 'paths'), 'serviceRef'))).toEqual([
      'spec.hosts is missing; write a list',
      'spec.paths is missing; write a list',
      'spec.serviceRef is missing; write an object with fields',
    ]);
  });

  it('an unknown field that is like no other is answered with those that exist', () => {
    expect(problems(route({ serviceRef: { name: 'a', zzzzzz: 1 } }))).toEqual([
      'spec.serviceRef.zzzzzz is no field here; there are name and namespace',
    ]);
  });

  it('all problems of an object are told at once, and not without end', () => {
    expect(problems(route({ hosts: ['A', 'B'], methods: ['NOPE'], ...paths('x') }))).toHaveLength(4);
    expect(problems(route({ hosts: new Array(60).fill(5) })).length).toBeLessThanOrEqual(50);
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`field${at}`, 1]));
    expect(problems(route(many)).length).toBeLessThanOrEqual(50);
  });

  it('A179 names out of an object are fit for a line', () => {
    const [line] = problems(route({ ['a\n\u001b[31m"'.repeat(50)]: 1 }));
    expect(line).toMatch(/^[ -~]{1,400}$/);
  });
});

describe('what an invalid Route claims', () => {
  const known = ['shop.example.com'];

  it('hosts and paths that can be read, whatever else is wrong', () => {
    for (const broken of [
      { methods: 5 },
      { serviceRef: 5 },
      { access: 'x' },
      { plugin: 1 },
      { headers: [5] },
      { class: 5 },
      { authorization: 1 },
    ])
      expect(routeClaim(route(broken))).toMatchObject({
        hosts: { known, complete: true },
        paths: { known: [{ type: 'Prefix', value: '/orders' }], complete: true },
      });
  });

  it.each<unknown>([
    undefined,
    null,
    'shop.example.com',
    [],
    {},
    5,
    [5],
    [''],
    ['Shop.example.com'],
    ['shop.example.com.'],
    ['a b'],
    [['a']],
  ])('unreadable hosts: %j', (hosts) => {
    expect(routeClaim(route({ hosts })).hosts).toEqual({ known: [], complete: false });
  });

  it('one unreadable host among readable ones', () => {
    expect(routeClaim(route({ hosts: ['a.example', 5, '*.b.example'] })).hosts).toEqual({
      known: ['a.example', '*.b.example'],
      complete: false,
    });
  });

  it('hosts beyond the bound are read too, those beyond all reason count as unreadable', () => {
    const hosts = Array.from({ length: 100 }, (_, at) => `h${at}.example`);
    expect(routeClaim(route({ hosts })).hosts).toEqual({ known: hosts, complete: true });
    const claim = routeClaim(route({ hosts: new Array(2_000_000).fill('a.example') }));
    expect(claim.hosts.complete).toBe(false);
    expect(claim.hosts.known.length).toBeLessThan(2000);
  });

  it.each<unknown>([
    undefined,
    null,
    [],
    '/orders',
    [5],
    [{}],
    [{ type: 'Prefix' }],
    [{ value: '/a' }],
    [{ type: 'Prefix', value: 'a' }],
    [{ type: 'x', value: '/a' }],
    [{ type: 'Prefix', value: '/a/../b' }],
    [{ type: 'Prefix', value: '/a//b' }],
    [{ type: 'Prefix', value: '/a/*' }],
    [{ type: 'RegularExpression', value: '/(a' }],
    [{ type: 'RegularExpression', value: 'a' }],
    [{ type: 'RegularExpression', value: '/((a{10}){10}){10}' }],
    [{ type: 'Prefix', value: '/a;b' }],
    [['/a']],
    ['/a'],
  ])('unreadable paths: %j', (value) => {
    expect(routeClaim(route({ paths: value })).paths).toEqual({ known: [], complete: false });
  });

  it('a reserved path, a repeated one and one with another field beside it are read', () => {
    const read = [
      { type: 'Exact', value: '/_oidc/x' },
      { type: 'Prefix', value: '/a' },
      { type: 'Prefix', value: '/a/' },
      { type: 'Exact', value: '/b', colour: 'red' },
    ];
    expect(routeClaim(route({ paths: read })).paths).toEqual({
      known: [
        { type: 'Exact', value: '/_oidc/x' },
        { type: 'Prefix', value: '/a' },
        { type: 'Prefix', value: '/a' },
        { type: 'Exact', value: '/b' },
      ],
      complete: true,
    });
  });

  it('plugins: no list is an empty one, unless a field may have been meant for it', () => {
    const okta = [{ kind: 'LoginPlugin', name: 'shop/okta' }];
    const none = { plugins: undefined, access: 'Public' };
    expect(routeClaim(route({ methods: 5 })).plugins).toEqual({ known: okta, complete: true });
    expect(routeClaim(drop(route({ methods: 5 }), 'plugins')).plugins).toEqual({ known: [], complete: true });
    expect(routeClaim(route({ ...none, plugin: [] })).plugins).toEqual({ known: [], complete: false });
    expect(routeClaim(route(none, { plugins: [] })).plugins).toEqual({ known: [], complete: false });
    for (const plugins of [null, 'okta', {}, 5])
      expect(routeClaim(route({ plugins })).plugins).toEqual({ known: [], complete: false });
    expect(
      routeClaim(route({ plugins: [{ kind: 'LoginPlugin', name: 'okta' }, { kind: 'LoginPlugin' }] })).plugins,
    ).toEqual({
      known: okta,
      complete: false,
    });
  });

  it('the Service, or nothing', () => {
    const claimed = (serviceRef: unknown): unknown => routeClaim(route({ methods: 5, serviceRef })).service;
    expect(claimed({ name: 'a' })).toBe('shop/a');
    expect(claimed({ name: 'a', namespace: 'b' })).toBe('b/a');
    for (const bad of [
      undefined,
      5,
      {},
      { name: 5 },
      { name: '../a' },
      { name: 'a', namespace: 5 },
      { name: 'a', namespace: null },
    ])
      expect(claimed(bad)).toBeUndefined();
  });

  it('nothing at all where spec is none', () => {
    expect(routeClaim(route({}, { spec: 'text' }))).toEqual({
      kind: 'Route',
      hosts: { known: [], complete: false },
      heldHosts: [],
      paths: { known: [], complete: false },
      places: 4096,
      service: undefined,
      plugins: { known: [], complete: false },
    });
  });

  it.each<[unknown, readonly string[]]>([
    [
      ['a.example', '*.b.example', '*'],
      ['a.example', '*.b.example', '*'],
    ],
    [['a.example', 5, 'A.example', 'a.example.', null, ['b.example']], ['a.example']],
    [new Array(1e9), []],
    ['a.example', []],
    [{ length: 1, 0: 'a.example' }, []],
    [null, []],
  ])('what a status says of hosts, valid or not, where an API server vouches for it: %#', (hosts, held) => {
    const cluster = { class: 'postern', defaultNamespace: undefined, fallbackName: '(unnamed)' };
    const valid = parse(route({}, { status: { hosts } }), cluster);
    expect(valid).toMatchObject({ ok: true, value: { heldHosts: held } });
    const broken = parse(route({ methods: 5 }, { status: { hosts } }), cluster);
    expect(broken).toMatchObject({ ok: false, claim: { heldHosts: held } });
    expect(routeOf(route({}, { status: { hosts } })).heldHosts).toEqual([]);
  });

  it('an object too large or too deep is invalid, and what it holds is read', () => {
    let deep: unknown = 1;
    for (let n = 0; n < 10_000; n++) deep = [deep];
    expect(problems(route({ headers: deep }))).toEqual(['spec is too large or too deeply nested; split the object']);
    expect(routeClaim(route({ headers: deep })).hosts).toEqual({ known, complete: true });
    expect(parsed(route({ hosts: new Array(1e9) })).ok).toBe(false);
  });
});
