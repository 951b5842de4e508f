import { z } from 'zod';
import { definePluginKind, type PluginKind } from '../../src/plugins/contract.ts';
import { canonicalPath } from '../../src/resources/path.ts';
import { invalid, problem, valid } from '../../src/resources/problem.ts';
import type { Redacted } from '../../src/resources/redacted.ts';
import type { CompiledPlugin, ReservedPath } from '../../src/routing/plugin-rules.ts';

const spec = z.strictObject({
  secretRef: z.strictObject({ name: z.string(), key: z.string() }).optional(),
  callback: z.string().startsWith('/').optional(),
  openSignUp: z.boolean().default(false),
  insecure: z.array(z.string()).default([]),
});
type Spec = z.output<typeof spec>;

/** The smallest plugin kind that has everything that compiling knows of: a secret, a path of its own, warnings. */
const define = (kind: string): PluginKind =>
  definePluginKind<Spec, Spec, { readonly secret: Redacted | undefined }>({
    kind,
    plural: `${kind.toLowerCase()}s`,
    shortNames: [],
    schema: spec,
    check: valid,
    secretFields: [['secretRef']],
    compile(resource, { secretRef, callback, openSignUp, insecure }, context) {
      const secret = secretRef && context.secret(secretRef.name, secretRef.key, ['spec', 'secretRef']);
      if (secret?.ok === false) return secret;
      const reserved = reservedPath(callback ?? `/_oidc/${resource.meta.name}/callback`);
      if (reserved === undefined) return invalid(problem('Invalid', ['spec', 'callback'], 'Is no path.'));
      const compiled: Omit<CompiledPlugin, 'config'> = { reserved: [reserved], warnings: [], openSignUp, insecure };
      return valid({ ...compiled, config: { secret: secret?.value } });
    },
    start() {
      throw new Error('not started in these tests');
    },
    problems: (error) =>
      error.issues.map((issue) => problem('Invalid', ['spec', ...issue.path.map(String)], issue.message)),
  });

function reservedPath(path: string): ReservedPath | undefined {
  const canonical = canonicalPath(path);
  return canonical.ok ? { purpose: 'callback', path: canonical.path } : undefined;
}

const GATE = define('GatePlugin');
const LOCK = define('LockPlugin');
/** GatePlugin decides before LockPlugin. */
export const KINDS: readonly PluginKind[] = [GATE, LOCK];
