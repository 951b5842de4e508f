import { z } from 'zod';
import { classField, durationField, nameField, ONE_OF_A_KIND, pluginRefField } from './metadata.ts';
import { UPSTREAM_PROTOCOLS } from './upstream-protocol.ts';

const timeouts = z
  .strictObject({
    connect: durationField.default('5s').meta({ description: 'Until the connection is there.' }),
    response: durationField
      .default('60s')
      .meta({ description: 'From the last byte of the request to the first of the response.' }),
    idle: durationField
      .default('300s')
      .meta({ description: 'Longest silence of a response or an upload that has begun.' }),
    request: durationField.optional().meta({
      description:
        'From the moment a request is passed on to the last byte of its response, retries included. Absent: as long as it takes.',
    }),
  })
  .prefault({});

const tls = z
  .strictObject({
    caRef: z
      .strictObject({
        name: nameField,
        key: z
          .string()
          .min(1)
          .max(253)
          .regex(/^[-._a-zA-Z0-9]+$/, 'must be the name of a key: A-Z, a-z, 0-9, -, _ and .')
          .default('ca.crt'),
      })
      .optional()
      .meta({
        description:
          'Key of a Secret, labelled postern.dev/secret: "true", with the PEM certificates that the upstream’s certificate has to come from, instead of the public roots.',
      }),
    clientCertRef: z.strictObject({ name: nameField }).optional().meta({
      description:
        'A Secret of type kubernetes.io/tls, labelled postern.dev/secret: "true": what Postern shows to an upstream that asks for a certificate.',
    }),
    serverName: z.string().min(1).max(253).optional().meta({
      description:
        'The name that is asked for (SNI) and that the certificate has to be for. Default: <name>.<namespace>.svc of backendRef, or the host of url.',
    }),
  })
  .prefault({})
  .meta({
    description: 'For protocol https or h2, or a url with https. The upstream’s certificate is always verified.',
  });

const limits = z
  .strictObject({
    connectionsPerEndpoint: z.int().min(1).max(65_535).default(4096).meta({
      description: 'Connections to one endpoint at the same time; a request has one to itself. Over HTTP/2: requests.',
    }),
    pending: z
      .int()
      .min(0)
      .max(65_535)
      .default(1024)
      .meta({ description: 'Requests that wait for a connection; beyond them 503.' }),
    pendingTimeout: durationField.default('5s').meta({ description: 'How long one of them waits, then 503.' }),
  })
  .prefault({})
  .meta({ description: 'Of each replica of Postern.' });

const passive = z
  .strictObject({
    enabled: z.boolean().default(true),
    consecutiveFailures: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .meta({ description: '502, 503, 504, resets and time-outs in a row; of attempts to connect two are enough.' }),
    ejectionTime: durationField
      .default('30s')
      .meta({ description: 'How long it is left out the first time; each further time that much longer.' }),
    maxEjectionTime: durationField.default('300s'),
    maxEjectedPercent: z.int().min(1).max(50).default(50).meta({
      description: 'Share of the endpoints that is left out at most. A Service with one endpoint always keeps it.',
    }),
  })
  .prefault({})
  .meta({ description: 'Leaves an endpoint out for a while after what its answers were.' });

/** `Service.spec` as a user writes it: the one source of the type, the check and the CRD. */
export const serviceSpec = z
  .strictObject({
    class: classField,
    backendRef: z
      .strictObject({ name: nameField, port: z.int().min(1).max(65_535) })
      .optional()
      .meta({ description: 'A core Service of the same namespace, followed through its EndpointSlices.' }),
    url: z
      .string()
      .min(1)
      .max(2048)
      .regex(/^https?:\/\//, 'must begin with http:// or https://')
      .optional()
      .meta({
        description:
          'Where the service is, instead of backendRef: http or https, host, port, and a path that is put before every request path.',
      }),
    protocol: z.enum(UPSTREAM_PROTOCOLS).optional().meta({
      description:
        'What the service speaks. http and https are HTTP/1.1, h2c is HTTP/2 without TLS, h2 HTTP/2 over TLS; gRPC needs one of the last two. Without it: http, or https where url begins with https://.',
    }),
    path: z.string().min(1).max(1024).optional().meta({
      description: 'With backendRef: a path that is put before every request path. A url has its own.',
    }),
    timeouts,
    tls,
    loadBalancing: z.enum(['RoundRobin', 'LeastRequest']).default('RoundRobin').meta({
      description:
        'RoundRobin: endpoints take turns. LeastRequest: of two that are drawn by lot, the one with fewer requests under way.',
    }),
    limits,
    retries: z
      .strictObject({
        attempts: z.int().min(0).max(5).default(2).meta({
          description:
            'How often a request is tried again at most: where nothing of it was sent, or where it has no body, is idempotent (RFC 9110) and nothing came back. On another endpoint where there is one.',
        }),
      })
      .prefault({}),
    healthCheck: z.strictObject({ passive }).prefault({}),
    insecure: z
      .strictObject({
        unverifiedTLS: z.boolean().default(false).meta({
          description:
            'Any certificate of the upstream is taken, so that whoever is on the way to it reads and changes everything. For trying things out; name its CA in tls.caRef instead.',
        }),
      })
      .prefault({})
      .meta({ description: 'Each one that is set shows in a condition.' }),
    plugins: z
      .array(pluginRefField)
      .max(16)
      .default([])
      .meta({
        description:
          'Protects every Route to this Service. A Route of the same namespace may name another plugin of the same kind instead; an empty list there clears nothing.',
        ...ONE_OF_A_KIND,
      }),
  })
  .meta({ description: 'Where requests go.' });

export type ServiceSpec = z.output<typeof serviceSpec>;
