import { describe, expect, it } from 'vitest';
import { helpText } from '../../src/cli/help.ts';
import { SERVE, VALIDATE, variableOf } from '../../src/cli/options.ts';
import { DEFAULT_LIMITS } from '../../src/proxy/limits.ts';
import { COMMANDS, readSettings, type ServeSettings } from '../../src/settings.ts';

const serveWith = (args: readonly string[], env: Readonly<Record<string, string>> = {}, terminal = false) =>
  readSettings(['serve', ...args], terminal, env);

const problemsOf = (args: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] => {
  const read = readSettings(args, false, env);
  return read.ok ? [] : read.problems;
};

function served(args: readonly string[], env: Readonly<Record<string, string>> = {}, terminal = false): ServeSettings {
  const read = serveWith(args, env, terminal);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  if (read.settings.command !== 'serve') throw new Error(read.settings.command);
  return read.settings;
}

describe('settings of serve', () => {
  it('are safe by default: everything on loopback, http where nobody says otherwise', () => {
    expect(served(['--files', 'objects'])).toEqual({
      command: 'serve',
      origin: { kind: 'Files', directory: 'objects', keysFile: undefined },
      listen: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 9090 },
      debug: { host: '127.0.0.1', port: 9091 },
      external: { scheme: 'http', port: 8080 },
      healthPath: undefined,
      limits: DEFAULT_LIMITS,
      trustedProxies: [],
      proxyProtocol: [],
      forwardedHeader: false,
      identityHeaders: [],
      urlBackends: { kind: 'Any' },
      providerAddresses: { kind: 'Any' },
      proxies: { forHttps: undefined, forHttp: undefined, exceptions: [] },
      class: 'postern',
      logLevel: 'info',
      logFormat: 'json',
      colour: false,
      grace: 0,
      drain: 30_000,
    });
  });

  it('are frozen', () => {
    expect(Object.isFrozen(served(['--files', 'x']))).toBe(true);
  });

  it('come from flags or from variables, and flags win', () => {
    const env = {
      POSTERN_FILES: 'from-env',
      POSTERN_LISTEN: '[::1]:81',
      POSTERN_IDENTITY_HEADERS: 'X-A, X-B-*',
      POSTERN_DRAIN: '1m30s',
      POSTERN_KEYS_FILE: '',
    };
    const settings = served(['--files=from-flag', '--debug', 'off', '--log-level=debug'], env);
    expect(settings).toMatchObject({
      origin: { directory: 'from-flag', keysFile: undefined },
      listen: { host: '::1', port: 81 },
      external: { scheme: 'http', port: 81 },
      debug: undefined,
      identityHeaders: ['X-A', 'X-B-*'],
      drain: 90_000,
      logLevel: 'debug',
    });
    expect(served(['--files=x', '--listen=1.2.3.4:80'], { POSTERN_LISTEN: 'nonsense' }).listen.host).toBe('1.2.3.4');
  });

  it('place the outside at 443 where it is https, and where they say', () => {
    expect(served(['--files=x', '--external-scheme=https']).external).toEqual({ scheme: 'https', port: 443 });
    expect(served(['--files=x', '--external-scheme=https', '--external-port=8443']).external.port).toBe(8443);
    expect(served(['--files=x', '--external-port=80']).external).toEqual({ scheme: 'http', port: 80 });
  });

  it('know the proxies of the surroundings, in either case, and nothing of a password in them', () => {
    const env = { https_proxy: 'http://user:planted@proxy.example:3128', NO_PROXY: '.svc,10.0.0.0/8' };
    const { proxies } = served(['--files=x'], env);
    expect(proxies).toMatchObject({ forHttps: { host: 'proxy.example', port: 3128 }, forHttp: undefined });
    expect(proxies.exceptions).toHaveLength(2);
    expect(JSON.stringify(proxies)).not.toContain('planted');
    const wrong = problemsOf(['serve', '--files=x'], { HTTPS_PROXY: 'socks5://user:planted@proxy' });
    expect(wrong).toEqual([expect.stringMatching(/^HTTPS_PROXY must be the URL of an http proxy/)]);
    expect(wrong.join()).not.toContain('planted');
  });

  it('take localhost for 127.0.0.1', () => {
    expect(served(['--files=x', '--listen=localhost:1234']).listen).toEqual({ host: '127.0.0.1', port: 1234 });
  });

  it('make text and colours for terminals only, and no colours with NO_COLOR', () => {
    expect(served(['--files=x'], {}, true)).toMatchObject({ logFormat: 'text', colour: true });
    expect(served(['--files=x'], { NO_COLOR: '1' }, true)).toMatchObject({ logFormat: 'text', colour: false });
    expect(served(['--files=x', '--log-format=json'], {}, true).logFormat).toBe('json');
  });

  it.each([
    ['nothing at all', [], {}, [/^--files: this is missing.*POSTERN_FILES/]],
    ['only what is in a file', ['--kubernetes=false'], {}, [/^--files: this is missing/]],
    ['both places of objects', ['--files=x', '--kubernetes'], {}, [/^--files: .*write one of the two$/]],
    [
      'a cluster without a way to it',
      ['--kubernetes'],
      {},
      [/^--kubeconfig: this is missing.*POSTERN_KUBECONFIG/, /^--pod-namespace: /],
    ],
    [
      'what is for a cluster only',
      ['--files=x', '--namespaces=shop'],
      { POSTERN_LEASE: 'y' },
      [
        /^--namespaces: this is for --kubernetes and does nothing with --files: leave it out$/,
        /^POSTERN_LEASE: this is for --kubernetes/,
      ],
    ],
    ['a word for yes', ['--files=x', '--kubernetes=yes'], {}, [/^--kubernetes: .*write true or false$/]],
    [
      'a network with bits behind',
      ['--files=x', '--url-backends=10.0.0.1/8'],
      {},
      [/^--url-backends: .*10\.0\.0\.0\/8/],
    ],
    ['no network', ['--files=x', '--trusted-proxies=,'], {}, [/^--trusted-proxies: /]],
    [
      'no listener',
      ['--files=x', '--trusted-proxies=::1', '--proxy-protocol=on'],
      {},
      [/write http, https, or http,https$/],
    ],
    [
      'a listener twice',
      ['--files=x', '--trusted-proxies=::1', '--proxy-protocol=http,http'],
      {},
      [/^--proxy-protocol: /],
    ],
    [
      'a listener that is not there',
      ['--files=x', '--trusted-proxies=::1', '--proxy-protocol=https'],
      {},
      [/write http$/],
    ],
    [
      'A050 PROXY headers of nobody',
      ['--files=x', '--proxy-protocol=http'],
      {},
      [/^--proxy-protocol: .*--trusted-proxies/],
    ],
    ['a policy in small letters', ['--files=x', '--provider-addresses=any'], {}, [/write Public, Any, or networks/]],
    ['the root for health', ['--files=x', '--health-path=/'], {}, [/^--health-path: /]],
    ['a callback for health', ['--files=x', '--health-path=/_oidc/x'], {}, [/^--health-path: /]],
    ['a path of two readings for health', ['--files=x', '--health-path=/a;b'], {}, [/^--health-path: /]],
    ['an unknown flag', ['--files=x', '--fils', 'y'], {}, [/^--fils: there is no such flag; did you mean --files\?$/]],
    ['a flag of another command', ['--files=x', '--output=json'], {}, [/^--output: there is no such flag/]],
    [
      'an unknown variable',
      ['--files=x'],
      { POSTERN_LISTN: 'x' },
      [/^POSTERN_LISTN: .*did you mean POSTERN_LISTEN\?$/],
    ],
    ['a flag without value', ['--files'], {}, [/^--files: write a value after it: --files DIR$/]],
    ['a flag before another', ['--files', '--debug', 'off'], {}, [/^--files: write a value/]],
    ['a flag twice', ['--files=x', '--files=y'], {}, [/^--files: this is here twice/]],
    ['a word too much', ['--files=x', 'y'], {}, [/^y: nothing is expected here/]],
    ['a port alone', ['--files=x', '--listen=8080'], {}, [/^--listen: "8080" can't be used/]],
    ['every interface by omission', ['--files=x', '--listen=:8080'], {}, [/0\.0\.0\.0:8080 for every interface/]],
    ['port 0', ['--files=x', '--listen=127.0.0.1:0'], {}, [/a port from 1 to 65535/]],
    ['a port too high', ['--files=x', '--admin=127.0.0.1:65536'], {}, [/^--admin: /]],
    ['a name', ['--files=x', '--admin=example.com:80'], {}, [/^--admin: .*an IP address/]],
    ['bare IPv6', ['--files=x', '--listen=::1:80'], {}, [/^--listen: /]],
    ['A171 debug for everybody', ['--files=x', '--debug=0.0.0.0:9091'], {}, [/^--debug: .*a loopback address/]],
    ['A171 debug on IPv6 for everybody', ['--files=x'], { POSTERN_DEBUG: '[::]:9091' }, [/^POSTERN_DEBUG: .*loopback/]],
    ['A171 debug on a mapped address', ['--files=x', '--debug=[::ffff:10.0.0.1]:1'], {}, [/loopback/]],
    ['one address for two', ['--files=x', '--admin=127.0.0.1:8080'], {}, [/^--admin: .* is that of --listen/]],
    ['another scheme', ['--files=x', '--external-scheme=HTTP'], {}, [/write http or https$/]],
    ['a port in words', ['--files=x', '--external-port=https'], {}, [/^--external-port: /]],
    ['every header', ['--files=x', '--identity-headers=*'], {}, [/^--identity-headers: .*header names/]],
    ['a star in the middle', ['--files=x', '--identity-headers=X-*-User'], {}, [/^--identity-headers: /]],
    ['a header with a space', ['--files=x', '--identity-headers=X User'], {}, [/^--identity-headers: /]],
    ['a class in capitals', ['--files=x', '--class=Blue'], {}, [/^--class: /]],
    ['a number for a duration', ['--files=x', '--drain=30'], {}, [/^--drain: .*30s/]],
    ['an empty value', ['--files='], {}, [/^--files: "" can't be used: write a path$/]],
  ])('refuse %s', (_, args, env, expected) => {
    expect(problemsOf(['serve', ...args], env)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it('list everything that is wrong at once', () => {
    const problems = problemsOf(['serve', '--listen=x', '--drain', '5', '--nope', '1', 'word'], { POSTERN_CLASS: 'É' });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      '--nope',
      'word',
      '--listen',
      'POSTERN_CLASS',
      '--drain',
      '--files',
    ]);
  });

  it('look past the variables that Kubernetes makes for Services named postern', () => {
    const links = {
      POSTERN_PORT: 'tcp://10.0.0.1:80',
      POSTERN_SERVICE_HOST: '10.0.0.1',
      POSTERN_SERVICE_PORT: '80',
      POSTERN_SERVICE_PORT_HTTP: '80',
      POSTERN_PORT_80_TCP: 'tcp://10.0.0.1:80',
      POSTERN_PORT_80_TCP_ADDR: '10.0.0.1',
      POSTERN_PORT_80_TCP_PROTO: 'tcp',
      POSTERN_ADMIN_SERVICE_HOST: '10.0.0.2',
      POSTERN_ADMIN_PORT: 'tcp://10.0.0.2:9090',
    };
    expect(problemsOf(['serve', '--files=x'], links)).toEqual([]);
  });
});

describe('settings of serve in a cluster', () => {
  const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };

  it('are those of a Pod where it runs in one', () => {
    expect(served([], POD)).toEqual({
      command: 'serve',
      origin: {
        kind: 'Kubernetes',
        kubeconfig: undefined,
        namespaces: undefined,
        hostOwners: [],
        clusterDomain: 'cluster.local',
        keysSecret: 'postern-keys',
        https: { host: '0.0.0.0', port: 8443 },
        http2: true,
        plainHttp: 'Redirect',
        defaultCertificate: undefined,
        hsts: undefined,
        sessionTickets: false,
        leaderElection: true,
        lease: 'postern',
        statusWrites: 20,
        podName: undefined,
        podNamespace: undefined,
      },
      listen: { host: '0.0.0.0', port: 8080 },
      admin: { host: '0.0.0.0', port: 9090 },
      debug: { host: '127.0.0.1', port: 9091 },
      external: { scheme: 'https', port: 443 },
      healthPath: undefined,
      limits: DEFAULT_LIMITS,
      trustedProxies: [],
      identityHeaders: [],
      proxyProtocol: [],
      forwardedHeader: false,
      urlBackends: { kind: 'Public' },
      providerAddresses: { kind: 'Any' },
      proxies: { forHttps: undefined, forHttp: undefined, exceptions: [] },
      class: 'postern',
      logLevel: 'info',
      logFormat: 'json',
      colour: false,
      grace: 10_000,
      drain: 30_000,
    });
  });

  it('come from --files in a Pod too, where that is written', () => {
    expect(served(['--files=x'], POD)).toMatchObject({ origin: { kind: 'Files' }, listen: { host: '127.0.0.1' } });
  });

  it('reach a cluster from outside of it', () => {
    const out = ['--kubernetes', '--pod-namespace=edge'];
    expect(served([...out, '--kubeconfig=k']).origin).toMatchObject({ kubeconfig: 'k', podNamespace: 'edge' });
    expect(served(out, { KUBECONFIG: 'k' }).origin).toMatchObject({ kubeconfig: 'k' });
    expect(served(out.slice(1), { KUBECONFIG: 'k', POSTERN_KUBERNETES: 'true' }).origin.kind).toBe('Kubernetes');
  });

  it('name what is theirs after the class', () => {
    expect(served(['--class=blue'], POD).origin).toMatchObject({
      keysSecret: 'postern-blue-keys',
      lease: 'postern-blue',
    });
    expect(served(['--class=blue', '--lease=l', '--keys-secret=k'], POD).origin).toMatchObject({
      keysSecret: 'k',
      lease: 'l',
    });
  });

  it('read lists, networks and names', () => {
    const args = [
      '--namespaces=shop, web,shop',
      '--host-owner=shop.example.com=shop,*.example.com=web,*=edge',
      '--url-backends=10.0.0.0/8,fd00::/8',
      '--provider-addresses=Public',
      '--trusted-proxies=192.0.2.7',
      '--proxy-protocol=https, http',
      '--forwarded-header=on',
      '--hsts=max-age="31536000" ;includesubdomains; PRELOAD',
      '--tls-session-tickets=on',
      '--health-path=/healthz',
      '--default-certificate=edge/wildcard.example.com',
      '--status-writes=5',
      '--leader-election=off',
      '--pod-name=postern-7f-x',
    ];
    const settings = served(args, POD);
    expect(settings.origin).toMatchObject({
      namespaces: ['shop', 'web'],
      hostOwners: [
        { pattern: 'shop.example.com', namespace: 'shop' },
        { pattern: '*.example.com', namespace: 'web' },
        { pattern: '*', namespace: 'edge' },
      ],
      defaultCertificate: 'edge/wildcard.example.com',
      hsts: 'max-age=31536000; includeSubDomains; preload',
      sessionTickets: true,
      statusWrites: 5,
      leaderElection: false,
      podName: 'postern-7f-x',
    });
    expect(settings).toMatchObject({
      urlBackends: { kind: 'Listed', cidrs: [{ text: '10.0.0.0/8' }, { text: 'fd00::/8' }] },
      providerAddresses: { kind: 'Public' },
      trustedProxies: [{ family: 4, text: '192.0.2.7' }],
      proxyProtocol: ['http', 'https'],
      forwardedHeader: true,
      healthPath: '/healthz',
    });
    expect(served(['--hsts=max-age=0'], POD).origin).toMatchObject({ hsts: 'max-age=0' });
  });

  it('serve plainly where there is no TLS here', () => {
    const off = served(['--listen-https=off', '--external-scheme=http'], POD);
    expect(off.origin).toMatchObject({ https: undefined, plainHttp: 'Serve' });
    expect(off.external).toEqual({ scheme: 'http', port: 8080 });
    expect(served(['--http2=off'], POD).origin).toMatchObject({ http2: false });
    expect(served(['--plain-http=Serve'], POD).origin).toMatchObject({ plainHttp: 'Serve', https: { port: 8443 } });
  });

  it.each([
    ['a keys file', ['--keys-file=x'], [/^--keys-file: this is for --files/]],
    ['a host without owner', ['--host-owner=shop.example.com'], [/^--host-owner: .*shop\.example\.com=shop/]],
    ['a host in capitals', ['--host-owner=Shop.example.com=shop'], [/^--host-owner: /]],
    ['two owners', ['--host-owner=a.b=x,a.b=y'], [/^--host-owner: .*one owner for a\.b$/]],
    ['a namespace with a dot', ['--namespaces=a.b'], [/^--namespaces: /]],
    ['no namespace', ['--namespaces=,'], [/^--namespaces: /]],
    ['a Secret of another namespace', ['--keys-secret=a/b'], [/^--keys-secret: /]],
    ['a certificate of no namespace', ['--default-certificate=wildcard'], [/^--default-certificate: .*edge\/wild/]],
    ['no writes', ['--status-writes=0'], [/^--status-writes: .*from 1 to 1000$/]],
    ['a redirect to nowhere', ['--listen-https=off', '--plain-http=Redirect'], [/^--plain-http: .*write Serve$/]],
    [
      'a certificate for nobody',
      ['--listen-https=off', '--default-certificate=a/b'],
      [/^--default-certificate: .*off/],
    ],
    ['a policy for nobody', ['--listen-https=off', '--hsts=max-age=1'], [/^--hsts: .*off/]],
    ['tickets for nobody', ['--listen-https=off', '--tls-session-tickets=on'], [/^--tls-session-tickets: .*off/]],
    [
      'headers before no TLS',
      ['--listen-https=off', '--trusted-proxies=::1', '--proxy-protocol=http,https'],
      [/^--proxy-protocol: .*write http$/],
    ],
    ['no age', ['--hsts=includeSubDomains'], [/^--hsts: .*max-age=SECONDS/]],
    ['an age of words', ['--hsts=max-age=1y'], [/^--hsts: /]],
    ['an age twice', ['--hsts=max-age=1; max-age=2'], [/^--hsts: /]],
    ['a directive that there is not', ['--hsts=max-age=1; includeSubdomain'], [/^--hsts: /]],
    ['a directive twice', ['--hsts=max-age=1; preload; preload'], [/^--hsts: /]],
    ['a second header', ['--hsts=max-age=1\r\nX: y'], [/^--hsts: /]],
    ['preload of a month', ['--hsts=max-age=2592000; includeSubDomains; preload'], [/^--hsts: .*preload only/]],
    ['preload of one name', ['--hsts=max-age=31536000; preload'], [/^--hsts: .*includeSubDomains/]],
    ['one address for two', ['--listen-https=0.0.0.0:8080'], [/^--listen-https: .* is that of --listen/]],
    ['half an address', ['--listen-https=8443'], [/^--listen-https: .*, or off$/]],
    ['a suffix with a dot', ['--cluster-domain=cluster.local.'], [/^--cluster-domain: /]],
  ])('refuse %s', (_, args, expected) => {
    expect(problemsOf(['serve', ...args], POD)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

describe('other commands', () => {
  it('validate takes paths, and variables that are for serve', () => {
    expect(readSettings(['validate', 'a', '--', '--b'], false, { POSTERN_LISTEN: 'whatever' })).toEqual({
      ok: true,
      settings: {
        command: 'validate',
        paths: ['a', '--b'],
        output: 'text',
        class: 'postern',
        external: { scheme: 'http', port: 8080 },
        identityHeaders: [],
        cluster: undefined,
        colour: false,
      },
    });
    expect(problemsOf(['validate'])).toEqual([expect.stringContaining('postern validate DIR')]);
  });

  it('validate --kubernetes takes what a gateway of the cluster takes, as far as it counts for objects', () => {
    const flags = [
      '--namespace',
      'shop',
      '--host-owner',
      '*=edge',
      '--namespaces',
      'shop,web',
      '--url-backends',
      'Any',
    ];
    expect(
      readSettings(['validate', '--kubernetes', 'a', ...flags], false, { POSTERN_CLUSTER_DOMAIN: 'c.test' }),
    ).toMatchObject({
      ok: true,
      settings: {
        external: { scheme: 'https', port: 443 },
        cluster: {
          namespace: 'shop',
          namespaces: ['shop', 'web'],
          hostOwners: [{ pattern: '*', namespace: 'edge' }],
          urlBackends: { kind: 'Any' },
          clusterDomain: 'c.test',
        },
      },
    });
    expect(problemsOf(['validate', 'a', ...flags])).toHaveLength(4);
    expect(problemsOf(['validate', 'a'], { POSTERN_HOST_OWNER: '*=edge' })).toEqual([]);
  });

  it('version and help', () => {
    expect(readSettings(['version'], false, {})).toMatchObject({ settings: { command: 'version' } });
    expect(readSettings(['--version'], false, {})).toMatchObject({ settings: { command: 'version' } });
    expect(problemsOf(['version', 'x'])).toHaveLength(1);
    for (const args of [[], ['help'], ['-h'], ['--help']])
      expect(readSettings(args, false, {})).toEqual({ ok: true, settings: { command: 'help', of: undefined } });
    for (const command of COMMANDS) {
      for (const args of [
        [command, '--help'],
        [command, '-h', '--nonsense'],
        ['help', command],
      ])
        expect(readSettings(args, false, {})).toEqual({ ok: true, settings: { command: 'help', of: command } });
    }
    expect(readSettings(['validate', 'help'], false, {})).toMatchObject({ settings: { paths: ['help'] } });
  });

  it('a command that is none', () => {
    expect(problemsOf(['sevre'])).toEqual(['sevre: there is no such command; did you mean serve?']);
    expect(problemsOf(['xyzzy'])).toEqual(['xyzzy: there is no such command; write one of serve, validate, version']);
  });
});

describe('help', () => {
  it.each([undefined, ...COMMANDS])('of %s is at most 100 columns wide and names the exit codes', (command) => {
    const lines = helpText(command).split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(lines.join('\n')).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
  });

  it('names every flag with its variable', () => {
    for (const [command, options] of [
      ['serve', SERVE],
      ['validate', VALIDATE],
    ] as const)
      for (const { flag } of options)
        expect(helpText(command)).toMatch(new RegExp(`--${flag} .*${variableOf(flag)}\n`));
  });
});
