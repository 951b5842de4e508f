import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { definePluginKind, type PluginKind, type PluginWorld } from '../../src/plugins/contract.ts';
import { valid } from '../../src/resources/problem.ts';
import type { Redacted } from '../../src/resources/redacted.ts';
import { schemaProblems } from '../../src/resources/schema-problems.ts';
import type { Decision, RequestView } from '../../src/routing/decision.ts';

/**
 * A second plugin kind, as small as one can be: who sends the shared token in `X-Token` is let in as `spec.user`. It
 * stands on plugins/contract.ts alone, so that it proves what a kind needs of routing/, sources/ and proxy/: nothing.
 */
const schema = z.strictObject({
  class: z.string().default('postern'),
  user: z.string().min(1).max(63),
  tokenSecretRef: z.strictObject({ name: z.string(), key: z.string().default('token') }),
});

interface TinyConfig {
  readonly user: string;
  readonly token: Redacted;
}

/** What became of the instances, in the order of their starts. */
export interface TinyLife {
  readonly instances: TinyInstance[];
}

export interface TinyInstance {
  readonly key: string;
  readonly token: string;
  readonly world: PluginWorld;
  stops: number;
}

export function tinyKind(life: TinyLife = { instances: [] }): PluginKind {
  return definePluginKind<z.output<typeof schema>, z.output<typeof schema>, TinyConfig>({
    kind: 'SharedToken',
    plural: 'sharedtokens',
    shortNames: [],
    schema,
    check: valid,
    secretFields: [['tokenSecretRef']],
    problems: (error) => schemaProblems(error, ['spec'], schema),
    compile(_resource, spec, { secret }) {
      const token = secret(spec.tokenSecretRef.name, spec.tokenSecretRef.key, ['spec', 'tokenSecretRef']);
      if (!token.ok) return token;
      return valid({ config: { user: spec.user, token: token.value }, reserved: [], warnings: [], openSignUp: false });
    },
    start(config, { key }, world) {
      const mine: TinyInstance = { key, token: config.token.reveal(), world, stops: 0 };
      life.instances.push(mine);
      const decide = (request: RequestView): Decision =>
        mine.stops === 0 && equal(request.header('x-token') ?? '', mine.token) ? letIn(config.user) : REFUSED;
      return {
        decide,
        answer: () => REFUSED,
        status: () => ({ status: 'True', reason: 'Ready', message: 'A token needs nothing to be ready.' }),
        stop() {
          mine.stops += 1;
        },
      };
    },
  });
}

const letIn = (user: string): Decision => ({
  kind: 'continue',
  identity: { issuer: 'token', subject: user, username: user, groups: [], email: undefined, claims: {} },
  headers: [{ name: 'X-Remote-User', value: user }],
  cookies: [],
});

const REFUSED: Decision = {
  kind: 'respond',
  status: 401,
  headers: [{ name: 'WWW-Authenticate', value: 'Token' }],
  cookies: [],
  notice: { code: 'token_wrong', title: 'No', text: 'The token is wrong.', advice: undefined, action: undefined },
  outcome: 'token_wrong',
};

const equal = (a: string, b: string): boolean => {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
};
