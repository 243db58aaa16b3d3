import { isIP } from 'node:net';
import * as z from 'zod';
import { secretReference } from './secret-reference.ts';
import { entryName, path } from './values.ts';

const identifier = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_$-]{0,62}$/, 'must be a name of PostgreSQL, of at most 63 letters and digits');

const postgres = z
  .strictObject({
    node: entryName.describe('Name of this node among those that share the database. Each has its own.'),
    host: z
      .string()
      .min(1)
      .max(255)
      .regex(
        /^(?:\/[^\p{Cc}]*|[A-Za-z0-9.:-]+)$/u,
        'must be a host name, an address, or the folder of a socket',
      )
      .describe('Host of the server, or the folder of its socket, which begins with a slash.'),
    port: z.int().min(1).max(65_535).default(5432).describe('Port of the server.'),
    database: identifier.describe('Name of the database.'),
    user: identifier.describe('Role that owns the tables.'),
    password: secretReference
      .optional()
      .describe('Password of the role.')
      .meta({ otherwise: 'none is sent' }),
    tls: z
      .union([
        z.literal('none'),
        z.strictObject({ ca: path.describe('CAs that vouch for the server, PEM.') }),
      ])
      .optional()
      .describe(
        'TLS to the server, whose certificate must bear the name of `host`. `none` is for loopback and sockets.',
      )
      .meta({ form: '`none`, or `{ ca: PATH }`', otherwise: '**required** but for a socket' }),
    connections: z
      .int()
      .min(1)
      .max(100)
      .default(8)
      .describe('Connections for reading. Admissions have half as many beside them, and the writer has one.'),
    preparedStatements: z
      .boolean()
      .default(true)
      .describe(
        '`false` for a pooler that gives each transaction another connection and follows no prepared statements.',
      ),
  })
  .superRefine(({ host, tls }, context) => {
    if (host.startsWith('/')) return;
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['tls'], message });
    if (tls === undefined) refuse('must name the CAs that vouch for the server, or be `none` on loopback');
    if (tls === 'none' && !isLoopback(host)) {
      refuse('`none` is for loopback and sockets: name the CAs that vouch for the server');
    }
  });

export const database = z.strictObject({
  postgres: postgres
    .optional()
    .describe('A PostgreSQL of version 15 or newer, for several nodes.')
    .meta({ otherwise: 'SQLite in `authority.data`, for one' }),
});

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
