/** One setting: a flag, the environment variable of the same name, and what `--help` says of it. */
export interface Option {
  /** Without dashes. The variable is `POSTERN_` and this in upper case with underscores. */
  readonly flag: string;
  /** Placeholder of the value in `--help`. */
  readonly value: string;
  /** Sentences for somebody who sees it for the first time. */
  readonly help: string;
  /** As written in `--help`; undefined where there is none. */
  readonly fallback: string | undefined;
  /** A line for a shell that makes what is needed; printed on a line of its own, to be copied. */
  readonly shell?: string;
}

const option = (flag: string, value: string, fallback: string | undefined, help: string): Option => ({
  flag,
  value,
  help,
  fallback,
});

/** Makes a file for `--keys-file` that only its owner can read. */
const MAKE_KEYS = '(umask 077; echo "k1 $(openssl rand -base64 32) $(date -u +%FT%TZ)" > keys)';

const CLASS = option(
  'class',
  'NAME',
  'postern',
  'Which objects are served: those whose spec.class is this. Others are not seen, so that several installations can live side by side.',
);
const EXTERNAL_SCHEME = option(
  'external-scheme',
  'http|https',
  'http',
  'How browsers reach the gateway. Write https where something in front of it ends TLS. Redirect URIs and cookies are made from this, never from a request.',
);
const externalPort = (otherwise: string): Option =>
  option(
    'external-port',
    'PORT',
    `443 with https, otherwise ${otherwise}`,
    'The port at which browsers reach the gateway.',
  );

const IDENTITY_HEADERS = option(
  'identity-headers',
  'NAME,...',
  undefined,
  'More headers that carry an identity, besides the built-in ones: removed from what clients send, on every Route. A name may end in *.',
);

export const SERVE: readonly Option[] = [
  option(
    'files',
    'DIR',
    undefined,
    'Directory of the objects: every *.yaml, *.yml and *.json in it and below. Changes are live within a second. Required.',
  ),
  option('listen', 'ADDRESS:PORT', '127.0.0.1:8080', 'Where requests are served. 0.0.0.0:8080 is every interface.'),
  option(
    'admin',
    'ADDRESS:PORT',
    '127.0.0.1:9090',
    'Where /metrics, /livez and /readyz (with ?verbose) are served, to whoever reaches it.',
  ),
  option(
    'debug',
    'ADDRESS:PORT|off',
    '127.0.0.1:9091',
    'Where /debug/snapshot shows the routing table and the conditions of each object. Loopback addresses only.',
  ),
  EXTERNAL_SCHEME,
  externalPort('the port of --listen'),
  IDENTITY_HEADERS,
  {
    ...option(
      'keys-file',
      'FILE',
      undefined,
      'File of the keys that seal sessions and logins, one a line: an id, 32 random bytes in base64, and when it was added. Read again when it changes. Without the file, a key is made at each start, and everybody has to log in again after one.',
    ),
    shell: MAKE_KEYS,
  },
  CLASS,
  option('log-level', 'debug|info|warn|error', 'info', 'The least severe lines that are written.'),
  option(
    'log-format',
    'json|text',
    'text on a terminal, otherwise json',
    'One JSON object per line, or lines for people.',
  ),
  option(
    'grace',
    'DURATION',
    '0s',
    'On SIGTERM, how long new connections are still served while /readyz already says no, so that a load balancer can notice.',
  ),
  option('drain', 'DURATION', '30s', 'After that, how long requests under way may take to end before they are cut.'),
];

export const VALIDATE: readonly Option[] = [
  option(
    'output',
    'text|json',
    'text',
    'Text for people, or one JSON document for scripts: {ok, objects, problems, warnings, routes}.',
  ),
  CLASS,
  EXTERNAL_SCHEME,
  externalPort('8080'),
  IDENTITY_HEADERS,
];

export const variableOf = (flag: string): string => `POSTERN_${flag.toUpperCase().replaceAll('-', '_')}`;
