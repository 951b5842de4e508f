import { type Cidr, inCidr } from '../resources/address-policy.ts';
import { rememberNames } from './name-memo.ts';

type Check = (address: string) => boolean;

/** A list lives as long as its Route stays as it is, and few clients make most requests. */
const checks = new WeakMap<readonly Cidr[], Check>();

/** Whether a client may use a Route. What is no address is in no list. */
export function isListed(clients: readonly Cidr[], address: string): boolean {
  let check = checks.get(clients);
  if (check === undefined) {
    check = rememberNames((text) => clients.some((cidr) => inCidr(text, cidr)));
    checks.set(clients, check);
  }
  return check(address);
}
