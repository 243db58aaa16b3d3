import { SallyportError } from '#errors';
import { type Der, parseCertificationRequest } from '#x509';
import { readNamedFile } from '../files.ts';
import type { Session } from '../session.ts';
import { readCertificates } from '../trust/certificate-file.ts';
import type { Tls } from './call.ts';
import { askNonce, enrollByEst, type EstServer } from './est.ts';
import { IdentityFolder } from './identity-folder.ts';
import { isKeyFile } from './key-file.ts';
import { opensslConnection } from './openssl.ts';
import type { AttestOptions } from './options.ts';
import type { Outcome } from './patience.ts';
import { enrollByScep, scepServer, selfSigned } from './scep.ts';
import type { Tpm, TpmKey, TpmKeyAlgorithm } from './tpm.ts';

/** Where it enrolls, and as whom. */
export interface Protocol {
  /** Of its keys, where nothing else is asked for. */
  readonly algorithm: TpmKeyAlgorithm;
  /** Its keys open messages too. */
  readonly decrypts: boolean;
  readonly challengePassword: string | null;
  nonce(): Promise<Uint8Array>;
  enroll(key: TpmKey, request: Der): Promise<Outcome>;
}

interface ProtocolPorts {
  readonly tpm: Tpm;
  /** Ends each call. */
  readonly interruption: AbortSignal;
}

export async function protocolOf(
  session: Session,
  options: AttestOptions,
  secret: string | null,
  ports: ProtocolPorts,
): Promise<Protocol> {
  const { est, scep } = options;
  return est === undefined
    ? byScep(session, options, scep!, secret, ports)
    : byEst(session, options, est, secret, ports);
}

async function byEst(
  session: Session,
  { trust, renew, user, subject }: AttestOptions,
  url: string,
  secret: string | null,
  { interruption }: Pick<ProtocolPorts, 'interruption'>,
): Promise<Protocol> {
  const file = session.path(trust);
  const ca = Buffer.from(await readNamedFile(file)).toString();
  const identity = renew === undefined ? {} : await renewing(session, renew, file);
  const credential = secret === null ? null : ([user ?? subject!, secret] as const);
  const server: EstServer = { url, tls: { ca, interruption, ...identity }, user: credential };
  return {
    algorithm: 'ec-p256',
    decrypts: false,
    challengePassword: null,
    nonce: () => askNonce(server),
    enroll: (_, request) => enrollByEst(server, request),
  };
}

async function byScep(
  session: Session,
  { trust }: AttestOptions,
  url: string,
  secret: string | null,
  { tpm, interruption }: ProtocolPorts,
): Promise<Protocol> {
  const ca = Buffer.from(await readNamedFile(session.path(trust))).toString();
  const server = await scepServer(url, { ca, interruption }, await readCertificates(session.path(trust)));
  const ports = { tpm, now: session.terminal.now, random: session.terminal.random };
  return {
    algorithm: 'rsa-2048',
    decrypts: true,
    challengePassword: secret,
    nonce() {
      throw new SallyportError('usage', 'SCEP gives out no nonce: say it with --nonce');
    },
    async enroll(key, bytes) {
      const request = parseCertificationRequest(bytes);
      const signer = await selfSigned(key, request.subject, ports);
      return enrollByScep(server, request, signer, ports);
    },
  };
}

/** TLS of Node.js for a key in a file, openssl for one in the TPM. */
async function renewing(
  session: Session,
  folder: string,
  trust: string,
): Promise<Omit<Tls, 'ca' | 'interruption'>> {
  const identity = IdentityFolder.of(session, folder);
  const [cert, key] = [await identity.certificate(), await identity.key()];
  if (!isKeyFile(key)) return { cert, key };
  const files = { trust, ...identity.paths };
  return { connect: (url) => opensslConnection(url, files, session.terminal.environment) };
}
