import type { ExternalAddress } from '../resources/external.ts';
import type { IdentityHeaders } from '../resources/identity-headers.ts';
import type { PluginRules } from './plugin-rules.ts';

export interface CompileOptions {
  /** In the order in which they decide. */
  readonly plugins: readonly PluginRules[];
  readonly external: ExternalAddress;
  readonly mode: CompileMode;
  /** Headers that a plugin may emit; absent: the fixed set. */
  readonly identityHeaders?: IdentityHeaders;
}

/** Files: hosts have no owners, and there are no core Services to follow. */
interface CompileMode {
  readonly kind: 'Files';
}
