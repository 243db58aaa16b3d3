import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { type Certificate, parseCertificate } from '#x509';
import type { AuthorityFiles, TestAuthority } from './authority.ts';

export const loopback = 'localhost, 127.0.0.1, "::1"';

/** Listeners with TLS have their certificates from the authority itself. */
export function issuedFor(names: string, issuer = 'issuing'): (yaml: string) => string {
  return (yaml) =>
    yaml.replace(
      /^( +)(?:certificate: pki\/listener\.pem|issued: .*)$/gm,
      `$1issued: { issuer: ${issuer}, names: [${names}] }`,
    );
}

export async function editConfiguration(
  { configuration }: Pick<AuthorityFiles, 'configuration'>,
  edit: (yaml: string) => string,
): Promise<void> {
  await writeFile(configuration, edit(await readFile(configuration, 'utf8')));
}

/** A new key in the listener's file, under the passphrase that it has. */
export async function replaceListenerKey({ directory }: Pick<AuthorityFiles, 'directory'>): Promise<void> {
  const passphrase = (await readFile(path.join(directory, 'secrets/passphrase'), 'utf8')).trim();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const form = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  await writeFile(path.join(directory, 'keys/listener.key.pem'), privateKey.export(form));
}

export async function listenerKey({ directory }: Pick<AuthorityFiles, 'directory'>) {
  const passphrase = (await readFile(path.join(directory, 'secrets/passphrase'), 'utf8')).trim();
  return createPrivateKey({
    key: await readFile(path.join(directory, 'keys/listener.key.pem'), 'utf8'),
    passphrase,
  });
}

/** What a new handshake gives: all that is sent, and whether this root alone verifies it, now and for this name. */
export async function handshake(
  { est }: Pick<TestAuthority, 'est'>,
  { ca, servername = 'localhost' }: { ca?: string; servername?: string } = {},
): Promise<{ certificate: Certificate; sent: Certificate[]; fault: string | null }> {
  const { hostname: host, port } = new URL(est);
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const connecting = connect(
      {
        host,
        port: Number(port),
        servername,
        rejectUnauthorized: false,
        ...(ca === undefined ? {} : { ca }),
      },
      () => resolve(connecting),
    );
    connecting.once('error', reject);
  });
  const sent: Certificate[] = [];
  let peer: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (peer !== undefined && !sent.some(({ der }) => Buffer.compare(der, peer!.raw) === 0)) {
    sent.push(parseCertificate(new Uint8Array(peer.raw)));
    peer = peer.issuerCertificate as DetailedPeerCertificate | undefined;
  }
  const { authorized } = socket;
  const fault = authorized ? null : String(socket.authorizationError);
  socket.destroy();
  return { certificate: sent[0]!, sent, fault };
}
