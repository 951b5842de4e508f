import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interaction, Provider } from 'oidc-provider';
import { PROVIDER_POLICY, renderProviderError, renderSignIn } from './provider-pages.ts';
import type { DemoUser } from './users.ts';

export interface SignInDesk {
  readonly provider: Provider;
  readonly users: readonly DemoUser[];
}

const FORM_LIMIT = 16 * 1024;

/** `/interaction/:uid`: the page that asks who somebody is (GET), and its answer (POST). */
export async function signIn(desk: SignInDesk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const interaction = await find(desk, request, response);
  if (interaction === undefined) {
    return send(
      response,
      400,
      renderProviderError('interaction_not_found', 'This sign-in is over, or was begun in another browser.'),
    );
  }
  if (request.method !== 'POST') return ask(desk, response, interaction, '', undefined);
  const form = await readForm(request);
  const username = form.get('username') ?? '';
  const user = desk.users.find((each) => each.username === username.trim().toLowerCase());
  if (user === undefined || !equal(form.get('password') ?? '', user.password)) {
    return ask(desk, response, interaction, username, 'There is no account with this name and password.');
  }
  await desk.provider.interactionFinished(request, response, { login: { accountId: user.id } });
}

async function find(
  desk: SignInDesk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Interaction | undefined> {
  try {
    return await desk.provider.interactionDetails(request, response);
  } catch {
    return undefined;
  }
}

function ask(
  desk: SignInDesk,
  response: ServerResponse,
  interaction: Interaction,
  username: string,
  problem: string | undefined,
): void {
  const page = renderSignIn({
    action: `/interaction/${interaction.uid}`,
    client: 'the demo service',
    username,
    problem,
    users: desk.users,
  });
  send(response, problem === undefined ? 200 : 403, page);
}

function send(response: ServerResponse, status: number, page: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(page),
    'Content-Security-Policy': PROVIDER_POLICY,
    'Cache-Control': 'no-store',
  });
  response.end(page);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > FORM_LIMIT) return new URLSearchParams();
  }
  return new URLSearchParams(text);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const equal = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
