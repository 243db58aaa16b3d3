import { SallyportError } from '#errors';
import { inspectPublicKey, parseCertificate, verifyCertificateSignature, verifyPossession } from '#x509';
import type { Certificate, CertificationRequest, Der } from '#x509';
import { type Authority, path } from './authority.ts';
import { sha256Hex } from './digests.ts';
import type {
  KeyObservation,
  Observations,
  PresenterObservation,
  RequestObservation,
  SecretObservation,
} from './observations.ts';
import { macSecret } from './one-time-secret.ts';
import type { Admission, Credential } from './request.ts';
import type { EnrollmentStore, StoreObservation } from './store.ts';

/** What does not change when the store is asked again after a conflict. */
export interface Asked {
  readonly admission: Admission;
  readonly credential: Credential | null;
  readonly request: CertificationRequest;
  readonly requestObservation: RequestObservation;
  readonly presenter: Certificate | null;
  readonly secretMacs: readonly Uint8Array[];
  readonly spki: string;
}

/**
 * Parses the presenter and does the request's own cryptography. Throws 'malformed', 'unsupported', and 'too-large' for what would not fit into
 * an entry: a request that cannot be recorded is not answered in any other way.
 */
export function prepare(
  admission: Admission,
  credential: Credential | null,
  request: CertificationRequest,
  authority: Authority,
): Asked {
  const requestObservation = observeRequest(request);
  demandRecordable('the certification request', requestObservation);
  const presenter = credential?.kind === 'certificate' ? parseCertificate(credential.certificate) : null;
  if (presenter !== null) {
    const { subject, subjectAltName } = presenter;
    demandRecordable('the client certificate', { subject, subjectAltName });
  }
  return {
    admission,
    credential,
    request,
    requestObservation,
    presenter,
    secretMacs:
      credential?.kind === 'secret' ? authority.macKeys.map((key) => macSecret(credential.secret, key)) : [],
    spki: sha256Hex(request.spki),
  };
}

/** Of an entry's 64 KiB, for what a stranger says in a request, and as much for the client certificate: a hundred names need 16 KiB. */
const maximumRecordedBytes = 24 * 1024;

function demandRecordable(what: string, observed: object): void {
  const length = Buffer.byteLength(JSON.stringify(observed));
  if (length <= maximumRecordedBytes) return;
  throw new SallyportError(
    'too-large',
    `${what} holds names and extensions of ${length} bytes, and ${maximumRecordedBytes} are recorded`,
  );
}

/** Each layer notes what it sees. One reading of the store for all of them. */
export async function observe(
  asked: Asked,
  authority: Authority,
  store: EnrollmentStore,
  time: number,
): Promise<Observations> {
  const { admission, credential } = asked;
  const stored = await store.observe({
    secretMacs: asked.secretMacs,
    userName: credential?.kind === 'secret' ? credential.userName : null,
    presenterSha256: asked.presenter === null ? null : sha256Hex(asked.presenter.der),
    spki: asked.spki,
    template: admission.source.template ?? '',
    now: time,
  });
  return {
    source: admission.source,
    rate: {
      source: { tat: admission.sourceTat },
      device: stored.device === null ? null : { tat: stored.rates.device },
      template: { tat: stored.rates.template },
    },
    request: asked.requestObservation,
    secret: credential?.kind === 'secret' ? observeSecret(stored) : null,
    presenter: asked.presenter === null ? null : observePresenter(asked.presenter, stored, authority),
    device: stored.device,
    // No evidence can be offered yet: a class that must attest is refused.
    evidence: { offered: [] },
    key: observeKey(asked.request.spki, asked.spki, stored),
    approval: stored.approval,
  };
}

function observeRequest(request: CertificationRequest): RequestObservation {
  return {
    subject: request.subject,
    subjectAltName: request.subjectAltName,
    extensions: request.extensions.map(({ oid, critical, value }) => ({
      oid,
      critical,
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
    })),
    possession: verifyPossession(request),
    challengePassword: request.challengePassword === null ? 'absent' : 'present',
  };
}

function observeKey(spki: Der, digest: string, stored: StoreObservation): KeyObservation {
  const { algorithm, bits, weaknesses } = inspectPublicKey(spki);
  return { spki: digest, algorithm, bits, weaknesses, shared: stored.keyShared };
}

function observeSecret(stored: StoreObservation): SecretObservation {
  const { secret, userNameDevice } = stored;
  return {
    id: secret?.id ?? null,
    userNameDevice,
    state: secret?.state ?? null,
    expiresAt: secret?.expiresAt ?? null,
    template: secret?.template ?? null,
    expected: secret?.expected ?? null,
    reservedFor: secret?.reservedFor ?? null,
    certificate: secret?.certificate ?? null,
  };
}

function observePresenter(
  presenter: Certificate,
  stored: StoreObservation,
  authority: Authority,
): PresenterObservation {
  const issuedBy = issuingCertificate(presenter, authority);
  return {
    sha256: sha256Hex(presenter.der),
    subject: presenter.subject,
    subjectAltName: presenter.subjectAltName,
    notBefore: presenter.notBefore,
    notAfter: presenter.notAfter,
    selfSigned: Buffer.compare(presenter.subjectDer, presenter.issuerDer) === 0,
    isCa: presenter.isCa,
    issuedBy: issuedBy === null ? null : sha256Hex(issuedBy.der),
    record: stored.presenter,
  };
}

function issuingCertificate(presenter: Certificate, authority: Authority): Certificate | null {
  for (const { issuer } of authority.issuers.values()) {
    for (const candidate of path(issuer)) {
      if (Buffer.compare(candidate.subjectDer, presenter.issuerDer) !== 0) continue;
      if (verifies(presenter, candidate)) return candidate;
    }
  }
  return null;
}

function verifies(presenter: Certificate, candidate: Certificate): boolean {
  try {
    return verifyCertificateSignature(presenter, candidate.spki);
  } catch {
    // An algorithm that is not on the allow-list: nobody of ours signed with it.
    return false;
  }
}
