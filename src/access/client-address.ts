import type { IncomingMessage } from 'node:http';
import proxyAddress from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** Reads by which address a request is counted: in no limit may two clients be one, nor one client be many. */
export type ReadClientAddress = (request: IncomingMessage) => string;

/** What an IPv6 client is given by its network: within it, it picks a new address whenever it likes. */
const IPV6_NETWORK_BITS = 64;

/**
 * @param trustedProxies addresses and networks (`10.0.0.0/8`, `loopback`) whose `X-Forwarded-For` is believed. With none,
 * the address is the connection's own: what a stranger writes into a header counts for nothing.
 */
export function clientAddresses(trustedProxies: readonly string[]): ReadClientAddress {
  const isTrusted = proxyAddress.compile([...trustedProxies]);
  return (request) => {
    const [connected, ...forwarded] = proxyAddress.all(request, isTrusted);
    // The farthest that a trusted proxy vouches for; a proxy that writes no address there is counted itself.
    return countedAddress(forwarded.at(-1)) ?? countedAddress(connected) ?? 'unknown';
  };
}

/** What {@link clientAddresses} takes, without the odd forms of addresses that the library would read ("1", "10.0"). */
export function isProxyNetwork(given: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(given)) return true;
  const isIpv6 = ipaddr.IPv6.isValid(given) || ipaddr.IPv6.isValidCIDR(given);
  return isIpv6 || ipaddr.IPv4.isValidFourPartDecimal(given) || ipaddr.IPv4.isValidCIDRFourPartDecimal(given);
}

/** IPv4 as it is, also where it is written as IPv6; of IPv6 the network. Null for what is no address. */
function countedAddress(written: string | undefined): string | null {
  // Some proxies write the port too.
  const bare = written?.replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1').replace(/^\[(.*)\](?::\d+)?$/, '$1');
  if (!bare || !ipaddr.isValid(bare)) return null;
  const address = ipaddr.process(bare);
  if (address.kind() === 'ipv4') return address.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${IPV6_NETWORK_BITS}`);
  return `${network.toString()}/${IPV6_NETWORK_BITS}`;
}
