import { z } from 'zod';
import { type Cidr, parseCidr } from './address-policy.ts';
import { addressBits } from './ip.ts';
import { type Problem, problem } from './problem.ts';

export const clientFields = {
  clients: z
    .strictObject({
      allow: z.array(z.string().min(1).max(64)).min(1).max(256).meta({
        description:
          'Addresses and networks, as in 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32. Everybody else gets 403, before any login.',
        'x-kubernetes-list-type': 'set',
      }),
    })
    .optional()
    .meta({
      description:
        'From which addresses the Route may be used. The address is that of the connection, or what a proxy of --trusted-proxies says. Absent: from all.',
    }),
};

interface ClientSpec {
  readonly clients?: { readonly allow: readonly string[] } | undefined;
}

/** Undefined: from everywhere. What can't be read makes the Route invalid, so that no list is less than was written. */
export function clientListOf({ clients }: ClientSpec, problems: Problem[]): readonly Cidr[] | undefined {
  if (clients === undefined) return undefined;
  const list: Cidr[] = [];
  for (const [at, text] of clients.allow.entries()) {
    const cidr = parseCidr(text);
    const field = ['spec', 'clients', 'allow', at];
    if (cidr === undefined) problems.push(problem('Invalid', field, faultOf(text)));
    else if (clients.allow.indexOf(text) !== at)
      problems.push(problem('Invalid', field, 'is there twice; leave one out'));
    else list.push(cidr);
  }
  return list;
}

function faultOf(text: string): string {
  const [address = '', length = ''] = text.split('/');
  const parsed = addressBits(address);
  const size = /^[0-9]{1,3}$/.test(length) ? Number(length) : 0;
  const plain = parsed !== undefined && size > 0 && size < parsed.bits.length;
  if (!plain) return CIDR_HINT;
  return `has bits set behind the first ${size}; write the network, or the address without /${size}`;
}

export const CIDR_HINT = 'must be an address or a network, as in 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32';
