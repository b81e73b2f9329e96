import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { clientAddresses, isProxyNetwork } from '../src/access/client-address.js';

describe('the address by which a client is counted', () => {
  const seenBy = async (trustedProxies: string[], headers: IncomingHttpHeaders, host = '127.0.0.1') => {
    const read = clientAddresses(trustedProxies);
    const server = createServer((incoming, answer) => answer.end(read(incoming)));
    await once(server.listen(0, host), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const sent = request({ port, host: host === '::' ? '127.0.0.1' : host, headers, agent: false });
      const [answer] = await once(sent.end(), 'response');
      return await text(answer);
    } finally {
      server.close();
    }
  };

  it.each([
    ['the connection’s own, whatever a stranger writes into a header', [], '203.0.113.7', '127.0.0.1'],
    ['what a trusted proxy says', ['loopback'], '203.0.113.7', '203.0.113.7'],
    [
      'what a trusted proxy says, and not what its client said to it',
      ['127.0.0.1'],
      '10.9.9.9, 203.0.113.7',
      '203.0.113.7',
    ],
    [
      'what the first of two trusted proxies says',
      ['loopback', '10.0.0.0/8'],
      '203.0.113.7, 10.1.2.3',
      '203.0.113.7',
    ],
    ['without the port that some proxies write', ['loopback'], '203.0.113.7:41000', '203.0.113.7'],
    ['IPv4 also where it is written as IPv6', ['loopback'], '::ffff:203.0.113.7', '203.0.113.7'],
    [
      'the network of an IPv6 address, within which a client has as many as it likes',
      ['loopback'],
      '2001:DB8:1:2:3:4:5:6',
      '2001:db8:1:2::/64',
    ],
    [
      'the network of an IPv6 address with a port',
      ['loopback'],
      '[2001:db8:1:2::9]:443',
      '2001:db8:1:2::/64',
    ],
    ['the proxy’s, where it writes no address', ['loopback'], 'unknown', '127.0.0.1'],
    ['the proxy’s, where it writes nothing', ['loopback'], '', '127.0.0.1'],
  ])('is %s', async (_what, trustedProxies, forwarded, counted) => {
    expect(await seenBy(trustedProxies, { 'x-forwarded-for': forwarded })).toBe(counted);
  });

  it('is an IPv4 address on a server that listens to both', async () => {
    expect(await seenBy([], {}, '::')).toBe('127.0.0.1');
  });
});

test('proxies are named as addresses, networks and words', () => {
  expect(['10.0.0.1', '10.0.0.0/8', 'fd00::/8', 'loopback', 'uniquelocal'].every(isProxyNetwork)).toBe(true);
  expect(['the proxy', '10.0.0.0/99', '10.0.0', '*', 'true', '1'].filter(isProxyNetwork)).toEqual([]);
});
