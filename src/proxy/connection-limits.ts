import { type Cidr, inCidr } from '../resources/address-policy.ts';
import { addressBits } from '../resources/ip.ts';
import type { ProxyLimits } from './limits.ts';

/** Of IPv6, whoever has one address has all of its /64. */
const NETWORK_BITS = 64;

/** How many connections clients have open, on all listeners together, and each address of them (A160). */
export class ConnectionLimits {
  readonly #most: number;
  readonly #mostPerAddress: number;
  readonly #exempt: readonly Cidr[];
  /** No larger than the number of open connections. */
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  /** `exempt`: peers that carry the requests of many, and are never held to a number of their own. */
  constructor(limits: Pick<ProxyLimits, 'connections' | 'connectionsPerAddress'>, exempt: readonly Cidr[]) {
    this.#most = limits.connections;
    this.#mostPerAddress = limits.connectionsPerAddress;
    this.#exempt = exempt;
  }

  get open(): number {
    return this.#open;
  }

  /** `address`: of the peer. What it is over, which counts nothing; or how to give the place back, once. */
  take(address: string): 'connections' | 'connectionsPerAddress' | (() => void) {
    if (this.#open >= this.#most) return 'connections';
    const network = this.#mostPerAddress === Number.POSITIVE_INFINITY ? undefined : this.#networkOf(address);
    if (network !== undefined) {
      const taken = this.#byAddress.get(network) ?? 0;
      if (taken >= this.#mostPerAddress) return 'connectionsPerAddress';
      this.#byAddress.set(network, taken + 1);
    }
    this.#open += 1;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#open -= 1;
      if (network !== undefined) this.#giveBack(network);
    };
  }

  #giveBack(network: string): void {
    const left = (this.#byAddress.get(network) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(network, left);
    else this.#byAddress.delete(network);
  }

  /** Undefined: it isn't counted. */
  #networkOf(address: string): string | undefined {
    if (this.#exempt.some((cidr) => inCidr(address, cidr))) return undefined;
    const parsed = addressBits(address);
    // `fe80::1%eth0`: with its zone it is no address to others, and a network to itself here.
    return parsed === undefined ? address : parsed.bits.slice(0, NETWORK_BITS);
  }
}
