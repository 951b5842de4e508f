import { z } from 'zod';
import { classField, durationField, nameField } from '../../../resources/metadata.ts';
import { ALGORITHMS } from './config.ts';

const urlField = z.string().min(1).max(2048);
const pathField = z.string().min(2).max(512);
const headerField = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
const claimPathField = z.string().min(1).max(256);
const secretKeyField = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/);

/** A key of a Secret of the same namespace. */
const secretRef = (key: string) => z.strictObject({ name: nameField, key: secretKeyField.default(key) });

const endpoints = z
  .strictObject({
    authorization: urlField.optional(),
    token: urlField.optional(),
    jwks: urlField.optional(),
    endSession: urlField.optional(),
    internalBase: urlField.optional().meta({
      description:
        'Where Postern finds what the issuer’s URL begins for browsers, for a provider in the cluster whose issuer is its public address: https://keycloak.idp.svc:8443/realms/a for the issuer https://sso.example.com/realms/a. Discovery, token and key requests go there; browsers go to the public address, and the issuer stays what it is.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'URLs used instead of those that the provider publishes. With authorization, token and jwks all given, its discovery document is not asked for.',
  });

const session = z
  .strictObject({
    idleTimeout: durationField.default('1h').meta({ description: 'A session that long unused ends; 1m to 720h.' }),
    absoluteTimeout: durationField
      .default('12h')
      .meta({ description: 'Every session ends that long after the login; 1m to 720h.' }),
    cookie: z
      .strictObject({
        sameSite: z.enum(['Lax', 'None']).default('Lax').meta({
          description: 'None only for pages that stand in frames of other sites.',
        }),
      })
      .prefault({}),
  })
  .prefault({});

const upstream = z
  .strictObject({
    accessToken: z.enum(['Bearer', 'None', 'Header']).default('Bearer').meta({
      description:
        'How the access token reaches the service: as Authorization: Bearer, not at all, or in accessTokenHeader.',
    }),
    accessTokenHeader: headerField.optional().meta({
      description: 'With accessToken: Header. One of the identity headers, such as X-Forwarded-Access-Token.',
    }),
    idTokenHeader: headerField.optional().meta({
      description:
        'Identity header that carries the ID token, such as X-Auth-Request-Id-Token. Absent: it is not passed on.',
    }),
    claims: z
      .array(
        z.strictObject({
          claim: claimPathField,
          header: headerField,
          encoding: z.enum(['Text', 'Percent', 'Json', 'Base64Json']).default('Text').meta({
            description:
              'Text sends printable ASCII as it is and refuses anything else; Percent escapes; Json and Base64Json are for lists and objects.',
          }),
        }),
      )
      .max(32)
      .default([])
      .meta({
        description:
          'Claims of the ID token as headers for the service. Headers are those of the identity set, which clients can not send: X-Forwarded-User, -Email, -Groups, -Preferred-Username, X-Auth-Request-*, X-Remote-*, Remote-*, X-Webauth-*, X-Postern-*.',
      }),
  })
  .prefault({});

const logout = z
  .strictObject({
    path: pathField.optional().meta({ description: 'Default: /_oidc/<plugin name>/logout.' }),
    rpInitiated: z
      .boolean()
      .default(true)
      .meta({ description: 'Also end the session at the provider, where it offers that.' }),
    idTokenHint: z.enum(['Auto', 'Never']).default('Auto').meta({
      description: 'Auto keeps the ID token for the provider’s logout while the session has room for it.',
    }),
    postLogoutRedirectURI: urlField.optional().meta({
      description: 'Where the provider sends people back to after logout, as registered there. Absent: / of the host.',
    }),
  })
  .prefault({});

const insecure = z
  .strictObject({
    httpCookies: z.boolean().default(false).meta({
      description:
        'Cookies without Secure and without the __Host- prefix, for plain http on loopback names. Never in production.',
    }),
    httpProvider: z.boolean().default(false).meta({
      description: 'A provider over plain http, for trying things out. Never in production.',
    }),
  })
  .prefault({})
  .meta({ description: 'Each one that is set shows in a condition.' });

/** `OidcPlugin.spec` as a user writes it: the one source of the type, the check and the CRD. Names are those of the RFCs. */
export const oidcSpec = z
  .strictObject({
    class: classField,
    issuer: urlField.meta({
      description:
        'Issuer of the provider, to the letter as its discovery document says it, also in slashes at the end: https://example.okta.com/oauth2/default.',
    }),
    endpoints,
    tls: z
      .strictObject({
        caRef: secretRef('ca.crt').optional().meta({
          description:
            'Key of a Secret with the PEM certificates that the provider’s certificate has to come from, instead of the public roots.',
        }),
      })
      .prefault({}),
    http: z
      .strictObject({
        timeout: durationField
          .default('10s')
          .meta({ description: 'Whole time of one call to the provider; 1s to 30s.' }),
        proxy: urlField.optional().meta({
          description:
            'An http proxy for every call to the provider, as in http://proxy.example:3128. Absent: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the process decide.',
        }),
      })
      .prefault({}),
    clientID: z.string().min(1).max(512).optional().meta({ description: 'The client id that the provider gave.' }),
    clientIDRef: secretRef('client-id').optional().meta({ description: 'Instead of clientID.' }),
    clientSecretRef: secretRef('client-secret').optional().meta({
      description:
        'The client secret. While a rotation is under way, a second key of the same Secret with the name of the first and -previous at its end (client-secret-previous) is tried where the provider refuses the first.',
    }),
    tokenEndpointAuthMethod: z
      .enum(['client_secret_basic', 'client_secret_post', 'none'])
      .default('client_secret_basic')
      .meta({ description: 'RFC 7591. none is for public clients, which have no secret; PKCE is always used.' }),
    scopes: z
      .array(
        z
          .string()
          .min(1)
          .max(256)
          .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/),
      )
      .min(1)
      .max(32)
      .default(['openid', 'profile', 'email'])
      .meta({ description: 'Must hold openid.' }),
    extraParams: z
      .array(
        z.strictObject({
          name: z
            .string()
            .min(1)
            .max(64)
            .regex(/^[A-Za-z0-9._~-]+$/),
          value: z.string().max(1024),
        }),
      )
      .max(16)
      .default([])
      .meta({
        description: 'Further parameters of the authorization request, such as audience or hd.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    prompt: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[a-z_]+( [a-z_]+)*$/)
      .optional()
      .meta({ description: 'OpenID Connect prompt: login, consent, select_account, or several with spaces between.' }),
    redirectPath: pathField.optional().meta({
      description:
        'Where the provider sends people back to, on every host of the Routes. Default: /_oidc/<plugin name>/callback.',
    }),
    attemptTTL: durationField.default('1h').meta({ description: 'How long a person may take to log in; 1m to 24h.' }),
    allowedAlgs: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .max(ALGORITHMS.length)
      .default([...ALGORITHMS])
      .meta({ description: 'Signature algorithms of ID tokens that are accepted.', 'x-kubernetes-list-type': 'set' }),
    audiences: z.array(z.string().min(1).max(512)).max(16).default([]).meta({
      description: 'Audiences of ID tokens that are accepted besides the client id.',
      'x-kubernetes-list-type': 'set',
    }),
    clockTolerance: durationField.default('30s').meta({
      description: 'By how much the clocks of the provider and of this machine may differ; 0s to 60s.',
    }),
    claims: z
      .strictObject({
        username: claimPathField.default('preferred_username'),
        groups: claimPathField.default('groups'),
        email: claimPathField.default('email'),
      })
      .prefault({})
      .meta({
        description:
          'Which claims of the ID token are the user name, the groups and the e-mail address; dots lead into nested objects, a name that holds dots is written in double quotes.',
      }),
    session,
    upstream,
    unauthenticated: z.enum(['Auto', 'Redirect', 'Unauthorized']).default('Auto').meta({
      description: 'Without a session. Auto: pages go to the provider, everything else gets 401.',
    }),
    logout,
    insecure,
  })
  .meta({ description: 'A login with OpenID Connect in front of the Routes that name it.' });

export type OidcWire = z.output<typeof oidcSpec>;
