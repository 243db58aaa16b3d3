import { createServer } from 'node:http';
import { parse, stringify } from 'yaml';
import { AcmeClient, type AccountKey } from './acme-client.ts';
import { authorityInProcess, type Cleanup } from './authority.ts';
import { type Listening, listening } from './challenge.ts';
import { DnsServer } from './dns-server.ts';

type Yaml = Record<string, Record<string, Record<string, unknown>>>;

export interface AcmeSurroundings {
  readonly dns: DnsServer;
  readonly http: Listening;
  /** What the web server of every name answers, by token; undefined: 404. */
  readonly proofs: Map<string, string>;
}

/** A resolver and a web server on loopback, where names are proven. */
export async function acmeSurroundings(cleanup: Cleanup): Promise<AcmeSurroundings> {
  const dns = await DnsServer.start();
  cleanup.after(() => dns.stop());
  const proofs = new Map<string, string>();
  const http = await listening(
    cleanup,
    createServer((request, response) => {
      const token = (request.url ?? '').replace('/.well-known/acme-challenge/', '');
      const proof = proofs.get(token);
      response.writeHead(proof === undefined ? 404 : 200, { 'Content-Type': 'application/octet-stream' });
      response.end(proof ?? '');
    }),
  );
  return { dns, http, proofs };
}

/** With templates `web` (names at and below example.org) and `strict` (waits for nobody: names of 10 minutes), whose proofs are seen in the surroundings. */
export function acmeYaml(yaml: string, { dns, http }: AcmeSurroundings, tlsPort = 9): string {
  const settings = parse(yaml) as Yaml;
  const acme = {
    challenges: ['http-01', 'dns-01', 'tls-alpn-01'],
    networks: ['127.0.0.0/8'],
  };
  settings['templates']!['web'] = {
    issuer: 'issuing',
    request: {
      subjectAltName: [
        { dns: 'example.org', maximum: 100, wildcard: true },
        { ip: '127.0.0.0/8', maximum: 5 },
      ],
    },
    keyAlgorithms: ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'],
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['serverAuth'],
    validity: '90d',
    renewalWindow: 'always',
    authentication: ['account'],
    acme,
  };
  settings['templates']!['other'] = { ...settings['templates']!['web'], validity: '1d' };
  settings['deviceClasses']!['laptop']!['templates'] = ['device', 'web', 'other'];
  const enroll = settings['listeners']!['enroll'] as unknown as { protocols: Record<string, unknown> };
  enroll.protocols['acme'] = { templates: ['web', 'other'], defaultTemplate: 'web' };
  settings['validation'] = {
    resolvers: [dns.resolver] as never,
    ports: { http: http.port, tls: tlsPort },
    timeout: '3s' as never,
  };
  settings['limits'] = {
    source: { burst: 100_000, count: 100_000, period: '1m' },
    device: { burst: 1000, count: 1000, period: '1m' },
    template: { burst: 100_000, count: 100_000, period: '1m' },
  };
  return stringify(settings, { aliasDuplicateObjects: false });
}

/** An authority in this process that speaks ACME, and clients of it. */
export async function acmeAuthority(cleanup: Cleanup, edit: (yaml: string) => string = (yaml) => yaml) {
  const surroundings = await acmeSurroundings(cleanup);
  const authority = await authorityInProcess(cleanup, (yaml) => edit(acmeYaml(yaml, surroundings)));
  const base = new URL(authority.est).origin;
  const clients: AcmeClient[] = [];
  const ownerOf = new WeakMap<AcmeClient, string>();
  cleanup.after(() => clients.forEach((client) => client.close()));
  let owners = 0;
  const client = async (template: string | null = 'web', key?: AccountKey) => {
    const directory = `${base}/acme/${template === null ? '' : `${template}/`}directory`;
    const made = await AcmeClient.at(directory, authority.trustPem, ...(key === undefined ? [] : [key]));
    clients.push(made);
    return made;
  };
  const owner = async () => {
    const id = `owner-${(owners += 1)}`;
    await authority.admin.device(id);
    return id;
  };
  const eab = async (more: Record<string, unknown> = {}) => {
    const device = (more['device'] as string | undefined) ?? (await owner());
    return authority.admin.client.perform('createExternalAccountKey', {
      templates: ['web', 'other'],
      names: ['.example.org', 'example.org'],
      approve: true,
      ...more,
      device,
    });
  };
  /** With an account. */
  const registered = async (more: Record<string, unknown> = {}, template: string | null = 'web') => {
    const made = await client(template);
    const device = (more['device'] as string | undefined) ?? (await owner());
    ownerOf.set(made, device);
    const { status, text } = await made.register(await eab({ ...more, device }));
    if (status !== 201) throw new Error(text);
    return made;
  };
  /** The name is at the web server. */
  const host = (name: string) => {
    surroundings.dns.addresses(name, '127.0.0.1');
    return name;
  };
  const byHttp = ({ token, keyAuthorization }: { token: string; keyAuthorization: string }) => {
    surroundings.proofs.set(token, keyAuthorization);
  };
  return { ...authority, ...surroundings, base, client, owner, ownerOf, eab, registered, host, byHttp };
}

export type AcmeTestAuthority = Awaited<ReturnType<typeof acmeAuthority>>;
