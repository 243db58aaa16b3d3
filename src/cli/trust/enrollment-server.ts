import { access } from 'node:fs/promises';
import type { TlsListener } from '#config';
import type { Certificate } from '#x509';
import { readCertificates } from './certificate-file.ts';
import type { PinnedChain } from './pinned-chain.ts';
import { leadsTo } from './signed-by.ts';

/** The enroll listener as a client of it sees it. */
export interface EnrollmentServer {
  readonly name: string;
  /** As in a URL: an IPv6 address in brackets. */
  readonly host: string;
  /** null: the system chooses at each start. */
  readonly port: number | null;
  readonly url: string | null;
  /** TLS 1.3 or nothing: strongSwan must be told. */
  readonly onlyTls13: boolean;
  /** `labelled`: EST paths without a label are refused, so clients name this template. null: no EST here. */
  readonly est: { readonly template: string; readonly labelled: boolean } | null;
  /** null: the file is not on this machine. */
  readonly certificate: ServerCertificate | null;
}

export interface ServerCertificate {
  readonly file: string;
  readonly certificate: Certificate;
  /** Issued under the exported chain, or by somebody else. */
  readonly issued: 'under' | 'foreign';
  /** With what the server sends, the root alone verifies it. */
  readonly rootSuffices: boolean;
}

export async function readEnrollmentServer(
  listener: TlsListener,
  chain: PinnedChain,
): Promise<EnrollmentServer> {
  const { name, address, tls, protocols } = listener;
  const certificate = await readServerCertificate(tls, chain);
  const host = hostOf(address, certificate?.certificate ?? null);
  const port = listener.port === 0 ? null : listener.port;
  const { est } = protocols;
  return {
    name,
    host,
    port,
    url: port === null ? null : `https://${host}:${port}`,
    onlyTls13: tls.minimum === 'TLSv1.3',
    est:
      est === undefined
        ? null
        : { template: est.defaultTemplate ?? est.templates[0]!, labelled: est.defaultTemplate === null },
    certificate,
  };
}

async function readServerCertificate(
  { certificate: file, chain }: TlsListener['tls'],
  { path, root }: PinnedChain,
): Promise<ServerCertificate | null> {
  const isHere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isHere) return null;
  const [certificate, ...sent] = (await Promise.all([file, ...chain].map(readCertificates))).flat();
  const pinned = path.map((one) => one.certificate);
  return {
    file,
    certificate: certificate!,
    issued: leadsTo(root.certificate, certificate!, [...sent, ...pinned]) ? 'under' : 'foreign',
    rootSuffices: leadsTo(root.certificate, certificate!, sent),
  };
}

const everyAddress = ['0.0.0.0', '::'];

/** A name that the server's certificate has, so that the URL verifies: the listener's own address where it can be. */
function hostOf(address: string, certificate: Certificate | null): string {
  const names = certificate?.subjectAltName ?? [];
  const namedAddress = names.some(({ kind, value }) => kind === 'ip' && value === address);
  if (namedAddress || (certificate === null && !everyAddress.includes(address))) return bracketed(address);
  const dns = names.flatMap(({ kind, value }) => (kind === 'dns' && isHostName(value) ? [value] : []));
  const name = dns.find((candidate) => candidate !== 'localhost') ?? dns[0];
  if (name !== undefined) return name;
  return everyAddress.includes(address) ? 'localhost' : bracketed(address);
}

/** What can stand in a URL, and in a line that is typed into a shell: no wildcard, and nothing that a certificate should not have. */
function isHostName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(text);
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
