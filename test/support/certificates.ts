import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openssl } from './parts.ts';

/** A private CA and what it signed, PEM. */
export interface Authority {
  readonly ca: string;
  /** A server certificate for `names` (`DNS:…`, `IP:…`). */
  issue(
    names: readonly string[],
    options?: { readonly expired?: boolean },
  ): { readonly key: string; readonly cert: string };
  remove(): void;
}

export function privateAuthority(name: string): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'postern-ca-'));
  const file = (base: string): string => join(directory, base);
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl.path, [...args], { cwd: directory, stdio: 'ignore' });
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run('req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${name}`, '-keyout', 'ca.key', '-out', 'ca.pem');
  return {
    ca: readFileSync(file('ca.pem'), 'utf8'),
    issue(names, options = {}) {
      writeFileSync(file('ext'), `subjectAltName=${names.join(',')}\n`);
      run('req', '-new', ...curve, '-subj', '/CN=provider', '-keyout', 'server.key', '-out', 'server.csr');
      const validity = ['-days', options.expired === true ? '-1' : '2'];
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
      run('x509', '-req', '-in', 'server.csr', ...signing, ...validity, '-out', 'server.pem');
      return { key: readFileSync(file('server.key'), 'utf8'), cert: readFileSync(file('server.pem'), 'utf8') };
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}
