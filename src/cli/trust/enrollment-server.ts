import { access } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { IssuerConfiguration, TlsListener } from '#config';
import { type Certificate, equalBytes, formatName, type GeneralName } from '#x509';
import { readCertificates } from './certificate-file.ts';
import { type PinnedChain, readPinnedChain } from './pinned-chain.ts';
import { isSame, leadsTo } from './signed-by.ts';

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
  /** null: the authority issues it itself. */
  readonly file: string | null;
  /** Who issued it, as people read it. */
  readonly issuer: string;
  readonly names: readonly GeneralName[];
  /** Issued under the exported chain, or by somebody else. */
  readonly issued: 'under' | 'foreign';
  /** With what the server sends, the root alone verifies it. */
  readonly rootSuffices: boolean;
}

export async function readEnrollmentServer(
  listener: TlsListener,
  chain: PinnedChain,
  issuers: readonly IssuerConfiguration[],
): Promise<EnrollmentServer> {
  const { name, address, tls, protocols } = listener;
  const certificate =
    tls.issued === null
      ? await readServerCertificate(tls, chain)
      : await issuedBy(tls.issued, chain, issuers);
  const host = hostOf(address, certificate?.names ?? null);
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
  { certificate: file, chain }: Extract<TlsListener['tls'], { issued: null }>,
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
    issuer: formatName(certificate!.issuer),
    names: certificate!.subjectAltName,
    issued: leadsTo(root.certificate, certificate!, [...sent, ...pinned]) ? 'under' : 'foreign',
    rootSuffices: leadsTo(root.certificate, certificate!, sent),
  };
}

/** Of what the authority issues itself only the issuer's certificates are in files. */
async function issuedBy(
  { issuer: wanted, names }: NonNullable<TlsListener['tls']['issued']>,
  { path, root: { certificate: root } }: PinnedChain,
  issuers: readonly IssuerConfiguration[],
): Promise<ServerCertificate> {
  const settings = issuers.find(({ name }) => name === wanted)!;
  const own = await readPinnedChain(settings);
  const rollover = (await Promise.all(settings.rollover.map(readCertificates))).flat();
  const sent = [
    ...own.below.map(({ certificate }) => certificate),
    ...rollover.filter(({ spki }) => equalBytes(spki, own.root.certificate.spki)),
  ];
  const issuing = own.path[0]!.certificate;
  const verifies = (known: readonly Certificate[]) => isSame(issuing, root) || leadsTo(root, issuing, known);
  return {
    file: null,
    issuer: formatName(issuing.subject),
    names: names.map((value) => ({ kind: isIP(value) === 0 ? 'dns' : 'ip', value })),
    issued: verifies([...sent, ...path.map(({ certificate }) => certificate)]) ? 'under' : 'foreign',
    rootSuffices: verifies(sent),
  };
}

const everyAddress = ['0.0.0.0', '::'];

/** A name that the server's certificate has, so that the URL verifies: the listener's own address where it can be. */
function hostOf(address: string, certified: readonly GeneralName[] | null): string {
  const names = certified ?? [];
  const namedAddress = names.some(({ kind, value }) => kind === 'ip' && value === address);
  if (namedAddress || (certified === null && !everyAddress.includes(address))) return bracketed(address);
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
