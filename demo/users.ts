/** An account of the demo's provider. The passwords are printed at start and are good for nothing else. */
export interface DemoUser {
  /** `sub` */
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly name: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly groups: readonly string[];
  /** What this account is there to show. */
  readonly note: string;
}

export const USERS: readonly DemoUser[] = [
  {
    id: 'u-1815',
    username: 'ada',
    password: 'lovelace',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    emailVerified: true,
    groups: ['analysts'],
    note: 'plain user',
  },
  {
    id: 'u-1906',
    username: 'grace',
    password: 'hopper',
    name: 'Grace Hopper',
    email: 'grace@example.com',
    emailVerified: true,
    groups: ['admins', 'analysts'],
    note: 'in group admins',
  },
  {
    id: 'u-1912',
    username: 'alan',
    password: 'turing',
    name: 'Alan Turing',
    email: 'alan@example.com',
    emailVerified: false,
    groups: ['analysts'],
    note: 'e-mail not verified',
  },
];

/** The claims of OpenID Connect Core 5.1 that the provider tells about an account. */
export const claimsOf = (user: DemoUser): Readonly<Record<string, unknown>> & { readonly sub: string } => ({
  sub: user.id,
  preferred_username: user.username,
  name: user.name,
  email: user.email,
  email_verified: user.emailVerified,
  groups: user.groups,
});
