import { isIP } from 'node:net';
import * as z from 'zod';
import { distinct, duration, entryName, ipAddress, port } from './values.ts';

/** `10.0.0.53`, `10.0.0.53:5353`, `[2001:db8::53]:5353`. */
const resolver = z
  .string()
  .refine((text) => {
    const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
    const isPort = digits === undefined || (Number(digits) >= 1 && Number(digits) <= 65_535);
    return isIP(text) !== 0 || (isIP(bracketed ?? plain ?? '') !== 0 && isPort);
  }, 'must be an address, with a port where that is not 53: 10.0.0.53, 10.0.0.53:5353, [2001:db8::53]:5353')
  .meta({ form: 'address of a DNS server' });

const perspective = z.strictObject({
  resolvers: distinct(resolver).describe('DNS servers that are asked from there.'),
  localAddress: ipAddress
    .optional()
    .describe('Address of this machine to connect from.')
    .meta({ otherwise: 'the system chooses' }),
});

/** How control of a name is seen (RFC 8555 section 8). Which networks are connected to, a template says. */
export const validation = z.strictObject({
  resolvers: distinct(resolver, 0)
    .default([])
    .describe('DNS servers that are asked, in this order.')
    .meta({ otherwise: 'those of the system' }),
  ports: z
    .strictObject({
      http: port.default(80).describe('Port of http-01 (RFC 8555 section 8.3 wants 80).'),
      tls: port.default(443).describe('Port of tls-alpn-01 (RFC 8737 wants 443), and of redirects to https.'),
    })
    .prefault({})
    .describe('Ports that are connected to, and no others.'),
  timeout: duration('1s', '1m').prefault('10s').describe('What has not been seen by then is not.'),
  perspectives: z
    .record(entryName, perspective)
    .default({})
    .describe('Further places, from all of which control must be seen as well (RFC 8555 section 10.1).'),
});
