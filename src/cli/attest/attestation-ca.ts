import { hash } from 'node:crypto';
import { SallyportError } from '#errors';
import { type Der, parseCertificate } from '#x509';
import { readNamedFile } from '../files.ts';
import type { Session } from '../session.ts';
import { readCertificates } from '../trust/certificate-file.ts';
import {
  activateCredential,
  createAttestationKey,
  type EndorsementKey,
  endorsementKeyOf,
  loadAttestationKey,
  type OwnAttestationKey,
} from './attestation-key.ts';
import { call, refusal, type Reply, retryAfterSeconds } from './call.ts';
import { IdentityFolder } from './identity-folder.ts';
import type { AttestOptions } from './options.ts';
import type { AttestationKey } from './request.ts';
import type { TpmTools } from './tools.ts';

/** What is left of a certificate must do until the request is judged. */
const leastMilliseconds = 3_600_000;

/**
 * The attestation key of the folder, or of the one that is renewed, or a new one; certified by the attestation CA, whose TPM2_MakeCredential the endorsement key opens
 * (docs/attestation.md, "Attestation keys of TPMs"). The key is kept before it is certified: another one would wait for an operator.
 */
export async function certifiedAttestationKey(
  session: Session,
  options: AttestOptions & { readonly attestationCa: string },
  folder: IdentityFolder,
  tools: TpmTools,
): Promise<AttestationKey> {
  const { renew } = options;
  const before =
    (await folder.attestation()) ??
    (renew === undefined ? null : await IdentityFolder.of(session, renew).attestation());
  const own = before ?? { ...(await createAttestationKey(tools)), certificates: [] };
  await folder.keepAttestation(own);
  const object = await loadAttestationKey(tools, own.blobs);
  const isCurrent = (der: Der) => parseCertificate(der).notAfter > session.now + leastMilliseconds;
  const [certificate] = own.certificates;
  if (certificate !== undefined && isCurrent(certificate)) return { object, certificates: own.certificates };
  const certificates = await certified(session, options, own, tools);
  await folder.keepAttestation({ ...own, certificates });
  return { object, certificates };
}

async function certified(
  session: Session,
  { attestationCa, endorsementCertificate, trust }: AttestOptions & { readonly attestationCa: string },
  { blobs, creation }: OwnAttestationKey,
  tools: TpmTools,
): Promise<readonly Der[]> {
  const ca = Buffer.from(await readNamedFile(session.path(trust))).toString();
  const sent =
    endorsementCertificate === undefined ? [] : await readCertificates(session.path(endorsementCertificate));
  const endorsement = await endorsementKeyOf(tools, sent[0] ?? null);
  const post = async (operation: string, message: object) =>
    answerOf(
      await call(
        `${attestationCa}/${operation}`,
        { ca, interruption: tools.interruption },
        {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(message),
        },
      ),
      endorsement,
    );
  const challenge = await post('attest', {
    ek: endorsement.spki.toBase64(),
    ekPublic: endorsement.publicArea.toBase64(),
    ekCerts: [endorsement.certificate, ...sent.slice(1)].map(({ der }) => der.toBase64()),
    params: {
      // Of TPM2B_PUBLIC without its length.
      public: blobs.publicArea.subarray(2).toBase64(),
      createData: creation.data.toBase64(),
      createAttestation: creation.attest.toBase64(),
      createSignature: creation.signature.toBase64(),
    },
  });
  const credential = { blob: bytesOf(challenge['credential']), secret: bytesOf(challenge['secret']) };
  const secret = await activateCredential(tools, credential);
  const { chain } = await post('secret', { secret: secret.toBase64() });
  if (!Array.isArray(chain) || chain.length === 0) throw unreadable();
  return chain.map(bytesOf);
}

function answerOf(reply: Reply, { spki }: EndorsementKey): Readonly<Record<string, unknown>> {
  if (reply.status === 200) return parsed(reply.body);
  if (retryAfterSeconds(reply) !== null) {
    const words = reply.body.toString('utf8', 0, 400).trim();
    throw new SallyportError(
      'store',
      `the attestation CA has it wait: ${words} The same command asks again.`,
    );
  }
  const { code, message } = refusal(reply);
  throw new SallyportError(
    code,
    `${message}\nIts operators know this TPM by the ekSha256 ${hash('sha256', spki)}.`,
  );
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(body.toString())) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw unreadable(cause);
  }
}

function bytesOf(text: unknown): Uint8Array {
  try {
    return Uint8Array.fromBase64(String(text));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): SallyportError {
  return new SallyportError('store', 'the attestation CA answers with something else than was asked for', {
    cause,
  });
}
