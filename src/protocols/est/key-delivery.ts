import {
  asymmetricKeyPackage,
  cmsOids,
  envelopedData,
  parseContentInfo,
  signedData,
  type Signer,
} from '#cms';
import type { Answer } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  type Certificate,
  type CertificationRequest,
  type Der,
  equalBytes,
  keyIdentifier,
  oids,
  parseCertificate,
  parseCertificationRequest,
} from '#x509';
import { EstError } from './problems.ts';

export interface KeyEnvelopePorts {
  /** Who signs keys that are delivered encrypted: the listener, with its own key. Throws where that cannot sign. */
  readonly keySigner: () => Signer;
  readonly random: (n: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A key that the authority made, with its certificate. */
export interface KeyDelivery {
  readonly outcome: 'key';
  readonly keyType: 'application/pkcs8' | 'application/pkcs7-mime; smime-type=server-generated-key';
  /** Wiped when it is rendered. */
  readonly key: Uint8Array;
  readonly certificate: Der;
  readonly boundary: string;
}

/** How the key travels: as PKCS #8 under TLS alone, or encrypted for a certificate besides (RFC 7030 section 4.4.1). */
export interface KeyEnvelope {
  readonly ports: KeyEnvelopePorts;
  /** With who signs for it: known before anything is certified. */
  readonly recipient: { readonly certificate: Certificate; readonly signer: Signer } | null;
}

/**
 * What the request demands of the key's way, before anything is issued: a key that could not be delivered must not be certified. "The server
 * MUST NOT" fall back to a key in the clear where encryption was asked for; it answers with an error (section 4.4.1).
 */
export function keyEnvelope(
  certificationRequest: Der,
  clientCertificate: () => { readonly certificate: Der } | null,
  ports: KeyEnvelopePorts,
): KeyEnvelope {
  const request = parseCertificationRequest(certificationRequest);
  if (request.decryptKeyIdentifier !== null) {
    throw new EstError(
      400,
      'no symmetric key is shared with anybody here: ask with AsymmetricDecryptKeyIdentifier',
    );
  }
  const recipient = recipientOf(request, clientCertificate);
  if (recipient === null) return { ports, recipient };
  demandEncryptable(recipient, request, ports);
  return { ports, recipient: { certificate: recipient, signer: ports.keySigner() } };
}

/** The certificate of the TLS handshake is the one whose key the client has proven. */
function recipientOf(
  { asymmetricDecryptKeyIdentifier: wanted }: CertificationRequest,
  clientCertificate: () => { readonly certificate: Der } | null,
): Certificate | null {
  if (wanted === null) return null;
  const client = clientCertificate();
  const certificate = client === null ? null : parseCertificate(client.certificate);
  const known =
    certificate !== null &&
    [certificate.subjectKeyIdentifier, keyIdentifier(certificate.spki)].some(
      (identifier) => identifier !== null && equalBytes(identifier, wanted),
    );
  if (known) return certificate;
  throw new EstError(
    400,
    'AsymmetricDecryptKeyIdentifier must name the key of the client certificate of this TLS connection',
  );
}

function demandEncryptable(
  recipient: Certificate,
  { smimeCapabilities }: CertificationRequest,
  { random }: KeyEnvelopePorts,
): void {
  if (smimeCapabilities !== null && !smimeCapabilities.includes(cmsOids.aes256Cbc)) {
    throw new EstError(400, 'SMIMECapabilities must list AES-256-CBC, which keys are encrypted with');
  }
  try {
    envelopedData({ type: oids.data, bytes: new Uint8Array(1) }, recipient, random);
  } catch (error) {
    if (!isSallyportError(error, 'unsupported')) throw error;
    throw new EstError(400, `nothing can be encrypted for the client certificate: ${error.message}`);
  }
}

/** Takes the key out of an answer and puts it on its way; every other answer stays as it is. */
export async function deliverKey(answer: Answer, envelope: KeyEnvelope): Promise<Answer | KeyDelivery> {
  if (answer.outcome !== 'issued' || answer.madeKey === null) return answer;
  const { ports, recipient } = envelope;
  const boundary = `sallyport-${ports.random(16).toHex()}`;
  const pkcs8 = answer.madeKey.takePkcs8();
  const { certificate } = answer;
  if (recipient === null) {
    return { outcome: 'key', keyType: 'application/pkcs8', key: pkcs8, certificate, boundary };
  }
  try {
    const keyPackage = { type: cmsOids.asymmetricKeyPackage, bytes: asymmetricKeyPackage(pkcs8) };
    const signed = await signedData(keyPackage, recipient.signer, ports.now());
    const key = envelopedData(parseContentInfo(signed), recipient.certificate, ports.random);
    const keyType = 'application/pkcs7-mime; smime-type=server-generated-key';
    return { outcome: 'key', keyType, key, certificate, boundary };
  } finally {
    pkcs8.fill(0);
  }
}
