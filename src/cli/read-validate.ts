import type { AddressPolicy } from '../resources/address-policy.ts';
import { DEFAULT_CLASS } from '../resources/metadata.ts';
import type { ClusterCheck, Output, ValidateSettings } from '../settings.ts';
import * as network from './network-values.ts';
import { VALIDATE } from './options.ts';
import { readExternal } from './read-serve.ts';
import type { Reader } from './reader.ts';
import * as values from './values.ts';

export function readValidate(reader: Reader, output: Output): ValidateSettings {
  const paths = reader.positionals;
  if (paths.length === 0)
    reader.problems.push('validate: name the directory or the files to check: postern validate DIR');
  const cluster = readCluster(reader);
  return {
    command: 'validate',
    paths,
    output: reader.value('output', values.oneOf('text', 'json'), 'text'),
    class: reader.value('class', values.className, DEFAULT_CLASS),
    external: cluster === undefined ? readExternal(reader, 'http', 8080) : readExternal(reader, 'https', 8080),
    identityHeaders: reader.value('identity-headers', values.headerNames, []),
    cluster,
    colour: output.colour,
  };
}

/** Undefined: without --kubernetes. */
function readCluster(reader: Reader): ClusterCheck | undefined {
  if (reader.flag('kubernetes') !== true) {
    for (const { flag, only } of VALIDATE)
      if (only === 'kubernetes' && reader.where(flag) === `--${flag}`)
        reader.problems.push(`--${flag}: this does nothing without --kubernetes: add that, or leave this out`);
    return undefined;
  }
  return {
    namespace: reader.value('namespace', network.namespace, 'default'),
    namespaces: reader.value<readonly string[] | undefined>('namespaces', network.namespaces, undefined),
    hostOwners: reader.value('host-owner', network.hostOwners, []),
    urlBackends: reader.value<AddressPolicy>('url-backends', network.addressPolicy, { kind: 'Public' }),
    clusterDomain: reader.value('cluster-domain', network.domain, 'cluster.local'),
  };
}
