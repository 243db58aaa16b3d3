import { setTimeout } from 'node:timers/promises';
import { SallyportError } from '#errors';
import {
  buildName,
  type Certificate,
  type Der,
  equalBytes,
  formatName,
  parseCertificate,
  pemToDer,
} from '#x509';
import { readNamedFile } from '../files.ts';
import { interruptible } from '../interruption.ts';
import { describeTime } from '../render/time.ts';
import type { Session } from '../session.ts';
import { readCertificates } from '../trust/certificate-file.ts';
import { certifiedAttestationKey } from './attestation-ca.ts';
import { isHandle } from './handle.ts';
import { IdentityFolder } from './identity-folder.ts';
import { encodeKeyFile, parseKeyFile } from './key-file.ts';
import { type AttestOptions, requireFitting } from './options.ts';
import { patiently } from './patience.ts';
import { attestedRequest, type Asked, type AttestationKey } from './request.ts';
import { type Protocol, protocolOf } from './protocol.ts';
import { secretOf } from './secret.ts';
import { ToolFailure, TpmTools } from './tools.ts';
import { Tpm, type TpmKey, type TpmKeyAlgorithm } from './tpm.ts';

export async function attest(session: Session, options: AttestOptions): Promise<void> {
  requireFitting(options);
  await IdentityFolder.of(session, options.out).requireFree();
  // As long as it is waited for, there is nothing to clean up.
  const secret = options.secret === undefined ? null : await secretOf(session, options.secret);
  await interruptible(session.terminal, async (interruption) => {
    try {
      await TpmTools.using(session.terminal.environment, interruption, (tools) =>
        enroll(session, options, secret, tools),
      );
    } catch (cause) {
      if (!interruption.aborted) throw cause;
      throw new SallyportError('usage', 'interrupted; the same command goes on', { cause });
    }
  });
}

async function enroll(
  session: Session,
  options: AttestOptions,
  secret: string | null,
  tools: TpmTools,
): Promise<void> {
  const folder = IdentityFolder.of(session, options.out);
  const tpm = await Tpm.with(tools);
  if (options.handle !== undefined) await tpm.requireFree(options.handle);
  const protocol = await protocolOf(session, options, secret, { tpm, interruption: tools.interruption });
  const { key, request } =
    (await pending(folder, tpm)) ?? (await begin(session, options, folder, protocol, { tpm, tools }));
  if (options.dryRun === true) {
    // Of SCEP it holds the secret, and is not for everybody to see.
    return session.print(
      { folder: folder.folder, request: folder.paths.request },
      () => `Wrote ${options.out}: key.pem and request.der. The same command without --dry-run sends it.\n`,
    );
  }
  const certificates = await sent(session, options, folder, tools.interruption, () =>
    protocol.enroll(key, request),
  );
  const certificate = ownOf(certificates, key);
  await folder.finish([certificate.der]);
  const handle = options.handle === undefined ? null : await tpm.keep(key.context, options.handle);
  report(session, options, certificate, handle);
}

interface Pending {
  readonly key: TpmKey;
  readonly request: Der;
}

async function pending(folder: IdentityFolder, tpm: Tpm): Promise<Pending | null> {
  const found = await folder.pending();
  return found && { key: await tpm.load(parseKeyFile(found.key)), request: found.request };
}

async function begin(
  session: Session,
  options: AttestOptions,
  folder: IdentityFolder,
  protocol: Protocol,
  { tpm, tools }: { readonly tpm: Tpm; readonly tools: TpmTools },
): Promise<Pending> {
  const { attestationCa } = options;
  const attestationKey =
    attestationCa === undefined
      ? await attestationKeyOf(session, options, tpm)
      : await certifiedAttestationKey(session, { ...options, attestationCa }, folder, tools);
  const asked = await askedOf(session, options, protocol);
  const nonce =
    options.nonce === undefined
      ? await protocol.nonce()
      : Uint8Array.fromBase64(options.nonce, { alphabet: 'base64url' });
  const algorithm = options.key ?? protocol.algorithm;
  const key =
    (await refused(folder, tpm, algorithm, protocol)) ?? (await tpm.create(algorithm, protocol.decrypts));
  const request = await attestedRequest(tpm, key, attestationKey, nonce, asked);
  await folder.begin(request, encodeKeyFile(key.blobs));
  return { key, request };
}

/** The key of a request that was refused, where it will do: with another one, a secret that was used for it would be of no use any more. */
async function refused(
  folder: IdentityFolder,
  tpm: Tpm,
  algorithm: TpmKeyAlgorithm,
  { decrypts }: Protocol,
): Promise<TpmKey | null> {
  const pem = await folder.refusedKey();
  if (pem === null) return null;
  const key = await tpm.load(parseKeyFile(pem)).catch(() => null);
  return key?.algorithm === algorithm && key.decrypts === decrypts ? key : null;
}

/** RFC 7030 section 4.2.2: a renewal has the names of what it renews. */
async function askedOf(
  session: Session,
  { subject, renew }: AttestOptions,
  { challengePassword }: Protocol,
): Promise<Asked> {
  if (renew === undefined) {
    const name = buildName([{ type: 'commonName', value: subject! }]);
    return { subject: name, subjectAltName: [], challengePassword };
  }
  const pem = await IdentityFolder.of(session, renew).certificate();
  const current = parseCertificate(pemToDer(pem, 'CERTIFICATE')[0]!);
  return { subject: current.subject, subjectAltName: current.subjectAltName, challengePassword };
}

async function attestationKeyOf(
  session: Session,
  { attestationKey = '', attestationCertificate = '' }: AttestOptions,
  tpm: Tpm,
): Promise<AttestationKey> {
  const certificates = await readCertificates(session.path(attestationCertificate));
  const object = isHandle(attestationKey) ? attestationKey : session.path(attestationKey);
  if (object !== attestationKey) await readNamedFile(object);
  const spki = await tpm.publicKey(object).catch((cause: unknown) => {
    if (!(cause instanceof ToolFailure)) throw cause;
    throw new SallyportError(
      'usage',
      `--attestation-key: ${attestationKey} is no key of this TPM (${cause.reason}); tpm2_getcap handles-persistent lists those that it keeps`,
      { cause },
    );
  });
  if (!equalBytes(spki, certificates[0]!.spki)) {
    throw new SallyportError(
      'usage',
      `--attestation-certificate: the first certificate in it is not of the key ${attestationKey}`,
    );
  }
  return { object, certificates: certificates.map(({ der }) => der) };
}

async function sent(
  session: Session,
  options: AttestOptions,
  folder: IdentityFolder,
  interruption: AbortSignal,
  ask: () => ReturnType<Protocol['enroll']>,
): Promise<readonly Der[]> {
  const { parseDuration } = await import('#config');
  try {
    return await patiently(
      parseDuration(options.wait),
      () => session.now,
      ask,
      (seconds) => session.note(`It waits for approval; asking again in ${Math.ceil(seconds)} s.`),
      (milliseconds) => setTimeout(milliseconds, undefined, { signal: interruption }),
    );
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'forbidden') await discard(folder, options, error);
    throw error;
  }
}

/* In the words of EST and SCEP alike. */
const denied = 'An operator has denied this request.';
const evidenceRefused = 'The evidence of this key is not accepted here.';

/**
 * A request that is refused is not sent again: its nonce will not do once more. Its key may be, since a secret may be for it, or a certificate there whose answer was lost; what an operator
 * has denied is of no use. Where it is the evidence, the attestation key may have been taken back, and is certified again.
 */
async function discard(
  folder: IdentityFolder,
  { attestationCa }: AttestOptions,
  { message }: SallyportError,
): Promise<void> {
  await folder.discard(!message.includes(denied));
  if (attestationCa !== undefined && message.includes(evidenceRefused)) {
    // What is told is the refusal, whatever comes of this.
    await folder.forgetCertificates().catch(() => undefined);
  }
}

function ownOf(certificates: readonly Der[], { spki }: TpmKey): Certificate {
  const own = certificates.map((each) => parseCertificate(each)).find((each) => equalBytes(each.spki, spki));
  if (own !== undefined) return own;
  throw new SallyportError('bad-signature', 'the server answered with a certificate of another key');
}

function report(
  session: Session,
  { out }: AttestOptions,
  certificate: Certificate,
  handle: string | null,
): void {
  const notAfter = new Date(certificate.notAfter).toISOString();
  const subject = formatName(certificate.subject);
  const kept = handle === null ? '' : ` The key is kept at ${handle} as well.`;
  session.print(
    { folder: session.path(out), subject, serialNumber: certificate.serialNumber, notAfter, handle },
    () =>
      `Wrote ${out}: certificate.pem of ${subject}, until ${describeTime(notAfter, session.now)}, and key.pem.${kept}\n`,
  );
}
