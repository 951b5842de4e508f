/** The package brings no types; these are the parts of oidc-provider 9 that the demo and the tests use. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface Context {
    readonly oidc: {
      readonly provider: Provider;
      readonly client?: { readonly clientId: string; readonly clientName?: string };
      readonly session?: { readonly accountId?: string };
      readonly params?: Readonly<Record<string, unknown>>;
    };
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    type: string;
    status: number;
    body: unknown;
    set(name: string, value: string): void;
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Interaction {
    readonly uid: string;
    readonly prompt: { readonly name: string; readonly reasons: readonly string[] };
    readonly params: Readonly<Record<string, unknown>>;
    readonly returnTo: string;
  }

  export interface Account {
    readonly accountId: string;
    claims(use: string, scope: string): Promise<Readonly<Record<string, unknown>> & { readonly sub: string }>;
  }

  export interface AdapterPayload {
    readonly uid?: string;
    readonly userCode?: string;
    readonly grantId?: string;
    consumed?: number;
    readonly [member: string]: unknown;
  }

  export interface Adapter {
    upsert(id: string, payload: AdapterPayload, expiresIn: number | undefined): Promise<void>;
    find(id: string): Promise<AdapterPayload | undefined>;
    findByUid(uid: string): Promise<AdapterPayload | undefined>;
    findByUserCode(code: string): Promise<AdapterPayload | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    readonly issuer: string;
    readonly Grant: new (init: {
      readonly clientId: string;
      readonly accountId: string;
    }) => Grant;
    /** A handler for `http.createServer`. */
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    /** Rejects where the browser's interaction is unknown or over. */
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Readonly<Record<string, unknown>>,
      options?: { readonly mergeWithLastSubmission?: boolean },
    ): Promise<void>;
    on(event: string, listener: (context: Context, error: Error) => void): this;
  }

  export default Provider;
}
