import { isPlain, own } from '../../resources/plain.ts';
import { ApiUnreachable, type KubernetesApi } from './api.ts';
import { pause } from './pause.ts';
import { answerText, type Log, onceAMinute, type Timers } from './world.ts';

export interface KeysSecretOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  readonly store: KeyStore;
  readonly log: Log;
  readonly timers: Timers;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
}

/** Who holds the keys. */
export interface KeyStore {
  /** Takes over a key list. What can't be read changes nothing (F41), and the answer says what is wrong with it. */
  take(text: string): string | undefined;
  /**
   * What a Secret is made with where there is none: the keys that are held; where none are, a new one, which counts only
   * once it was read back, for another replica may have been faster.
   */
  make(): string;
}

export interface KeysSecret {
  start(): void;
  /** Why no keys could be taken so far; undefined once some were, whatever happens later. */
  failure(): string | undefined;
  stop(): void;
}

/** In `data`; the text form of keys/key-list.ts. */
const KEY = 'keys';
/** Milliseconds. A watch is ended by the server after two to four minutes, and everything is read once more. */
const IDLE = 90_000;
const SHORT = 5000;
/** Between rounds that went well, so that no answer makes the loop spin. */
const SOON = 100;
const BACKOFF = { first: 500, most: 30_000 };

/**
 * Keeps the keys of this process equal to those in one Secret, which all replicas share (DESIGN: Keys). Who finds none
 * makes it; of several that do, the API server lets one win, and the others read what that one wrote. One that is deleted
 * is made again from the keys that are held, so that nobody is logged out by it.
 */
export function createKeysSecret(options: KeysSecretOptions): KeysSecret {
  const { api, log, store, name } = options;
  const collection = `/api/v1/namespaces/${options.namespace}/secrets`;
  const place = `Secret ${options.namespace}/${name}`;
  const one = { fieldSelector: `metadata.name=${name}` };
  const sayAgain = onceAMinute(options.now);
  const stopping = new AbortController();
  let failure: string | undefined = `${place} was not read yet`;
  let taken = false;
  /** Version of the content that was complained of last. */
  let refused: string | undefined;
  let failures = 0;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const began = options.now();
      const outcome = await round();
      // A watch that ends at once, again and again, is a failure too (F05).
      const failed = outcome.kind === 'Failed' || (outcome.kind === 'Watched' && options.now() - began < SHORT);
      failures = failed ? failures + 1 : 0;
      if (outcome.kind === 'Failed') complain(outcome.message);
      const backoff = Math.min(BACKOFF.most, BACKOFF.first * 2 ** Math.min(failures, 10)) * (0.5 + options.random());
      const asked = outcome.kind === 'Failed' ? (outcome.retryAfter ?? 0) : 0;
      await pause(failed ? Math.max(asked, backoff) : SOON, options.timers, stopping.signal);
    }
  }

  type Outcome =
    /** There was none, and it has to be read what came of that. */
    | { readonly kind: 'Missing' }
    | { readonly kind: 'Watched' }
    | { readonly kind: 'Failed'; readonly message: string; readonly retryAfter?: number | undefined };

  /** Reads the Secret, makes it where there is none, and follows it for as long as the watch lasts. */
  async function round(): Promise<Outcome> {
    try {
      const list = await api.call({ method: 'GET', path: collection, query: one, signal: stopping.signal });
      const items = own(list.body, 'items');
      if (list.status !== 200 || !Array.isArray(items)) return answered('be read', list, 'list and watch');
      const [found]: readonly unknown[] = items;
      if (found === undefined) return await make();
      take(found);
      return await follow(own(own(list.body, 'metadata'), 'resourceVersion'));
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
      return { kind: 'Failed', message: `${place} can't be read: ${error.message}` };
    }
  }

  async function make(): Promise<Outcome> {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: options.namespace, name, labels: { 'app.kubernetes.io/managed-by': 'postern' } },
      type: 'Opaque',
      data: { [KEY]: Buffer.from(store.make()).toString('base64') },
    };
    const answer = await api.call({ method: 'POST', path: collection, body, signal: stopping.signal });
    if (answer.status === 201) log.info({ secret: name }, `${place} was missing and was made`);
    return answer.status === 201 || answer.status === 409 ? { kind: 'Missing' } : answered('be made', answer, 'create');
  }

  async function follow(version: unknown): Promise<Outcome> {
    const seconds = Math.round(120 * (1 + options.random()));
    const query = {
      ...one,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: typeof version === 'string' ? version : '',
      timeoutSeconds: String(seconds),
    };
    const watch = await api.watch({
      method: 'GET',
      path: collection,
      query,
      idle: IDLE,
      timeout: (seconds + 30) * 1000,
      signal: stopping.signal,
    });
    if (watch.status !== 200) return answered('be watched', watch, 'list and watch');
    for await (const line of watch.lines) {
      const event = eventOf(line);
      if (event.type === 'ADDED' || event.type === 'MODIFIED') take(event.object);
      else if (event.type !== 'BOOKMARK') return { kind: event.type === 'DELETED' ? 'Missing' : 'Watched' };
    }
    return { kind: 'Watched' };
  }

  function take(secret: unknown): void {
    const text = own(own(secret, 'data'), KEY);
    const wrong =
      typeof text === 'string' ? store.take(Buffer.from(text, 'base64').toString()) : `it has no key ${KEY}.`;
    if (wrong === undefined) {
      taken = true;
      failure = undefined;
      refused = undefined;
      return;
    }
    const version = own(own(secret, 'metadata'), 'resourceVersion');
    const advice = taken
      ? 'The keys from before stay in use.'
      : 'Put it right; or delete it, and one with a new key is made.';
    if (!taken) failure = `${place} can't be used: ${wrong}`;
    if (refused !== version) log.error({ secret: name }, `${place} can't be used: ${wrong} ${advice}`);
    refused = typeof version === 'string' ? version : undefined;
  }

  function answered(
    what: string,
    answer: { readonly status: number; readonly body: unknown; readonly retryAfter: number | undefined },
    verbs: string,
  ): Outcome {
    const advice = answer.status === 403 ? `; the ServiceAccount needs ${verbs} on it` : '';
    const message = `${place} can't ${what}: ${answerText(answer.status, answer.body)}${advice}`;
    return { kind: 'Failed', message, retryAfter: answer.retryAfter };
  }

  function complain(message: string): void {
    if (stopping.signal.aborted) return;
    if (!taken) failure = message;
    if (sayAgain(message)) log.warn({ secret: name }, message);
  }

  return {
    start() {
      run().catch((error: unknown) => {
        log.error({ err: error }, 'following the keys failed, which is a bug; those that are held stay in use');
      });
    },
    failure: () => failure,
    stop: () => stopping.abort(),
  };
}

function eventOf(line: string): { readonly type: unknown; readonly object: unknown } {
  try {
    const event: unknown = JSON.parse(line);
    return isPlain(event) ? { type: own(event, 'type'), object: own(event, 'object') } : NOTHING;
  } catch {
    return NOTHING;
  }
}

const NOTHING = { type: undefined, object: undefined };
