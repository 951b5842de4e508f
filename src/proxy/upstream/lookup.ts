import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction, type Socket } from 'node:net';

/** Cloud metadata services live at link-local addresses; nothing reaches them through a gateway (A174). */
const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');

export function isLinkLocal(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && linkLocal.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a connection leads to the machine that it comes from. */
export function leadsHome({ remoteAddress = '', localAddress }: Socket): boolean {
  const family = isIP(remoteAddress);
  if (family !== 0 && loopback.check(remoteAddress, family === 6 ? 'ipv6' : 'ipv4')) return true;
  return remoteAddress === localAddress;
}

/** Name resolution of upstream connections: an answer that leads to a forbidden address is an error, at each connect. */
export const lookupReachable: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '', 0);
    const reachable = addresses.filter((entry) => !isLinkLocal(entry.address));
    const [first] = reachable;
    if (first === undefined) {
      const refused: NodeJS.ErrnoException = new Error(`${hostname} leads only to link-local addresses`);
      refused.code = 'EADDRFORBIDDEN';
      return callback(refused, '', 0);
    }
    if (options.all === true) return callback(null, reachable);
    return callback(null, first.address, first.family);
  });
};
