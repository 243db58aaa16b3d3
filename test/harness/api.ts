import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { type MachineScope, machineScopes } from '#admin';
import type { CallEntry } from '#enrollment';
import { privateKeyPem } from './csr.ts';
import { entriesOf } from './entries.ts';
import type { TestAuthority } from './authority.ts';
import type { Certified } from './pki.ts';

/** Beside the listeners of `init`, one for machines. `more`: further lines of it. */
export function withApi(yaml: string, more: readonly string[] = []): string {
  const listener = [
    'api:',
    '  class: api',
    '  address: 127.0.0.1',
    '  port: 0',
    '  tls:',
    '    certificate: pki/listener.pem',
    '    key:',
    '      file: keys/listener.key.pem',
    '      passphrase: { file: secrets/passphrase }',
    '  sources: [127.0.0.0/8]',
    ...more.map((line) => `  ${line}`),
  ];
  return yaml.replace('\nlisteners:\n', `\nlisteners:\n${listener.map((line) => `  ${line}\n`).join('')}`);
}

export interface ApiRequest {
  readonly method?: string;
  readonly token?: string;
  /** HTTP Basic: the machine's name, and its token. */
  readonly user?: readonly [name: string, token: string];
  readonly client?: Pick<Certified, 'pem' | 'key'>;
  readonly json?: unknown;
  readonly body?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly localAddress?: string;
  /** Of the listener; without it that named `api`. */
  readonly url?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Of a JSON answer. */
  readonly value: Record<string, unknown>;
}

type Reached = Pick<TestAuthority, 'api' | 'trustPem'>;

/** One call on a connection of its own; the path goes out as it is. */
export async function call(authority: Reached, path: string, request: ApiRequest = {}): Promise<ApiAnswer> {
  const { token, user, client, json, headers = {}, localAddress } = request;
  const body = json === undefined ? request.body : JSON.stringify(json);
  const method = request.method ?? (body === undefined ? 'GET' : 'POST');
  const { hostname, port } = new URL(request.url ?? authority.api);
  return new Promise((resolve, reject) => {
    const outgoing = https.request(
      {
        hostname,
        port,
        path,
        method,
        ca: authority.trustPem,
        agent: false,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(user === undefined
            ? {}
            : { authorization: `Basic ${Buffer.from(user.join(':')).toString('base64')}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
        ...(localAddress === undefined ? {} : { localAddress }),
        ...(client === undefined ? {} : { cert: client.pem, key: privateKeyPem(client.key) }),
      },
      (response) => {
        response.toArray().then((parts: Buffer[]) => {
          const bytes = Buffer.concat(parts);
          const text = bytes.toString();
          const isJson = response.headers['content-type']?.endsWith('json') === true;
          const value = (isJson && text !== '' ? JSON.parse(text) : {}) as Record<string, unknown>;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, value });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error('no answer in 20 s')));
    outgoing.end(body);
  });
}

/** A machine that may do all that machines can, unless `may` says otherwise. */
export async function machine(
  { admin }: Pick<TestAuthority, 'admin'>,
  name: string,
  may: {
    scopes?: MachineScope[];
    templates?: string[];
    sources?: string[];
    lifetimeSeconds?: number;
  } = {},
): Promise<string> {
  const scopes = may.scopes ?? [...machineScopes];
  const { token } = await admin.client.perform('createMachine', {
    name,
    ...may,
    scopes,
    templates: may.templates ?? ['device'],
  });
  return token;
}

/** The calls in the log that were no acts, in order. */
export async function callEntriesOf(authority: Pick<TestAuthority, 'admin'>): Promise<CallEntry[]> {
  const entries = await entriesOf(authority);
  return entries.filter(({ type }) => type === 'call') as unknown as CallEntry[];
}
