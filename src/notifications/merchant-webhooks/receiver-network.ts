import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

/** How receivers are reached. */
export interface ReceiverNetwork {
  readonly allowPrivate: boolean;
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  readonly lookup: LookupFunction;
}

class AddressNotPublic extends Error {
  override readonly name = 'AddressNotPublic';
}

/** A new connection for each message, so that an address is judged for each, too. */
const AGENT = { keepAlive: false };

/**
 * Only public addresses can be reached. The judged address is the one that is connected to, so it does not help to
 * answer the name server's next question differently.
 * @param lookup another one than the system's, for tests.
 */
export function publicNetwork(lookup: LookupFunction = systemLookup): ReceiverNetwork {
  return {
    allowPrivate: false,
    httpAgent: new RequestFilteringHttpAgent(AGENT),
    httpsAgent: new RequestFilteringHttpsAgent(AGENT),
    lookup: refusing(lookup),
  };
}

/** Anything can be reached: for development and tests. */
export function anyNetwork(lookup: LookupFunction = systemLookup): ReceiverNetwork {
  return { allowPrivate: true, httpAgent: new http.Agent(AGENT), httpsAgent: new https.Agent(AGENT), lookup };
}

const systemLookup = dns.lookup as LookupFunction;

/** Whether a connection was refused because of where it led. The package's own errors are known by their words alone. */
export function isAddressNotPublic(error: unknown): boolean {
  if (error instanceof AddressNotPublic) return true;
  return error instanceof Error && /^DNS lookup .+ is not allowed\. Because/.test(error.message);
}

/** What the package takes for public and isn't. */
function more(): BlockList {
  const list = new BlockList();
  // Azure's "wire server", which hands out a machine's secrets.
  list.addAddress('168.63.129.16');
  return list;
}

const MORE = more();

/** Everything else of IPv6 is not given out, or leads elsewhere: `::127.0.0.1` in old systems to 127.0.0.1. */
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6');

function isRefused(address: string): boolean {
  return isIPv6(address) ? !GLOBAL_UNICAST.check(address, 'ipv6') : MORE.check(address);
}

function refusing(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (error === null && addresses.some(isRefused)) callback(new AddressNotPublic(hostname), '');
      else callback(error, found, family);
    });
  };
}
