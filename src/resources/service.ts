import { z } from 'zod';
import { classField, durationField, nameField, ONE_OF_A_KIND, pluginRefField } from './metadata.ts';
import { UPSTREAM_PROTOCOLS } from './upstream-protocol.ts';

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
    timeouts: z
      .strictObject({
        connect: durationField.default('5s').meta({ description: 'Until the connection is there.' }),
        response: durationField
          .default('60s')
          .meta({ description: 'From the last byte of the request to the first of the response.' }),
        idle: durationField
          .default('300s')
          .meta({ description: 'Longest silence of a response or an upload that has begun.' }),
      })
      .prefault({}),
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
