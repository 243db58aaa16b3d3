import { SallyportError } from '#errors';
import {
  findCertificationPath,
  hardwareModuleNameOf,
  hardwareSerialNumberText,
  inspectPublicKey,
  parseCertificate,
  parseCertificationRequest,
  verifyPossession,
} from '#x509';
import type { Certificate, CertificationRequest, Der, Extension } from '#x509';
import type { Authority } from './authority.ts';
import { observeChannelBinding } from './channel-binding.ts';
import { sha256Hex } from './digests.ts';
import { challengeOf } from './challenge.ts';
import { identityOf, namedDevice, requestedDevice } from './identity.ts';
import { issuingCertificate, parsedIfAny } from './issuing-certificate.ts';
import { keepEvidence, keepRequest, type Keeping } from './kept-request.ts';
import { evidenceObservation, type OfferedEvidence, UnseenEvidence } from './offered-evidence.ts';
import type {
  ChallengeObservation,
  EvidenceObservation,
  KeyObservation,
  Observations,
  PresenterObservation,
  RequestObservation,
  SecretObservation,
} from './observations.ts';
import { macSecret } from './one-time-secret.ts';
import { named } from './references.ts';
import type { ActivatedKey, Admission, Credential, EnrollmentRequest } from './request.ts';
import type { DeviceKey, EnrollmentStore, StoreObservation } from './store.ts';

/** What does not change when the store is asked again after a conflict. */
export interface Asked {
  readonly admission: Admission;
  readonly credential: Credential | null;
  /** null: an attestation key was activated, and signs none. */
  readonly request: CertificationRequest | null;
  /** SubjectPublicKeyInfo of the request. */
  readonly key: Der;
  readonly requestObservation: RequestObservation;
  readonly presenter: Presenter | null;
  readonly secretMacs: readonly Uint8Array[];
  /** A password that is none of our secrets. */
  readonly challenge: ChallengeObservation | null;
  /** How the request names its device; null where it must not: a certificate names it, or nobody vouches for it. */
  readonly requestedDevice: DeviceKey | null;
  readonly transactionID: string | null;
  readonly evidence: OfferedEvidence | null;
  /** Digest of the request's own key. */
  readonly spki: string;
  readonly keygen: boolean;
  /** What stays of the request beside the log, in whatever entry this request ends; null: there is none. */
  readonly keeping: Keeping | null;
}

interface Presenter {
  readonly certificate: Certificate;
  /** What does not need the store. */
  readonly seen: Omit<PresenterObservation, 'record'>;
  /** The device that it names, where it belongs to an identity of the configuration. */
  readonly device: DeviceKey | null;
}

/**
 * Parses the presenter and does the request's own cryptography. Throws 'malformed', 'unsupported', and 'too-large' for what would not fit into
 * an entry: a request that cannot be recorded is not answered in any other way.
 */
export function prepare(
  asking: EnrollmentRequest,
  authority: Authority,
  random: (n: number) => Uint8Array,
): Asked {
  const { certificationRequest } = asking;
  if (!(certificationRequest instanceof Uint8Array)) {
    return prepareActivated(asking, certificationRequest, random);
  }
  const { admission, credential, keygen } = asking;
  const request = parseCertificationRequest(certificationRequest);
  const presented = presentedBy(credential);
  const presenter = presented === null ? null : preparePresenter(presented, request, authority);
  const requestObservation = observeRequest(request, asking, presenter?.certificate.extensions ?? []);
  demandRecordable('the certification request', requestObservation);
  const template = named(authority.references.templates, admission.source.template);
  const challenge = challengeOf(credential, template, authority.staticChallenges);
  if (presenter !== null) demandRecordable('the client certificate', presenter.seen);
  const evidence = asking.evidence ?? offeredBy(request);
  if (evidence !== null) {
    const beside = { requestObservation, seen: presenter?.seen };
    demandRecordable('what comes beside evidence', beside, maximumBesideEvidence);
  }
  return {
    admission,
    credential,
    request,
    key: request.spki,
    requestObservation,
    presenter,
    secretMacs: challenge === null ? macsOf(credential, authority) : [],
    challenge,
    requestedDevice:
      credential === null ||
      credential.kind === 'order' ||
      presenter !== null ||
      template?.requestedDevice === undefined
        ? null
        : requestedDevice(template.requestedDevice, request.subject),
    transactionID: asking.transactionID ?? null,
    evidence,
    spki: requestObservation.spki,
    keygen,
    keeping: keepRequest(request, random),
  };
}

/** Nothing is asked for but a certificate of the key. */
function prepareActivated(
  { admission, evidence }: EnrollmentRequest,
  { deviceId, spki, message }: ActivatedKey,
  random: (n: number) => Uint8Array,
): Asked {
  const digest = sha256Hex(spki);
  return {
    admission,
    credential: null,
    request: null,
    key: spki,
    requestObservation: {
      subject: [],
      subjectAltName: [],
      extensions: [],
      changeSubjectName: null,
      spki: digest,
      possession: true,
      channelBinding: 'absent',
    },
    presenter: null,
    secretMacs: [],
    challenge: null,
    requestedDevice: { column: 'id', value: deviceId },
    transactionID: null,
    evidence: evidence ?? null,
    spki: digest,
    keygen: false,
    keeping: message === null ? null : keepEvidence(message, random),
  };
}

/** The same for requests that want the same certificate: the credential and the key. */
export function twinKey({ credential, secretMacs, presenter, spki }: Asked): string {
  if (credential?.kind === 'order') return `order ${credential.order}`;
  if (secretMacs.length > 0) {
    return `secret ${Buffer.from(secretMacs[0]!).toString('base64')} ${spki}`;
  }
  return `certificate ${presenter?.seen.sha256 ?? ''} ${spki}`;
}

/** The certificate that is renewed, where there is one. */
function presentedBy(
  credential: Credential | null,
): Pick<Extract<Credential, { kind: 'certificate' }>, 'certificate' | 'sent'> | null {
  if (credential?.kind === 'certificate') return credential;
  if (credential?.kind !== 'order' || credential.predecessor === null) return null;
  return { certificate: credential.predecessor, sent: [] };
}

function macsOf(credential: Credential | null, { macKeys }: Authority): Uint8Array[] {
  if (credential?.kind === 'reserved') return [credential.secretMac];
  return credential?.kind === 'secret' ? macKeys.map((key) => macSecret(credential.secret, key)) : [];
}

function preparePresenter(
  { certificate: der, sent }: Pick<Extract<Credential, { kind: 'certificate' }>, 'certificate' | 'sent'>,
  request: CertificationRequest,
  authority: Authority,
): Presenter {
  const certificate = parseCertificate(der);
  // Where no identity is configured, what was sent beside it is not even parsed.
  const beside = authority.identityCas.length === 0 ? [] : sent.flatMap(parsedIfAny);
  const path = findCertificationPath(certificate, beside, authority.identityCas) ?? [];
  const issuedBy = issuingCertificate(certificate, authority);
  const seen = {
    sha256: sha256Hex(certificate.der),
    spki: sha256Hex(certificate.spki),
    subject: certificate.subject,
    subjectAltName: certificate.subjectAltName,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    selfSigned: Buffer.compare(certificate.subjectDer, certificate.issuerDer) === 0,
    isCa: certificate.isCa,
    keyUsage: certificate.keyUsage,
    extendedKeyUsage: certificate.extendedKeyUsage,
    hardwareModule: observeHardwareModule(certificate),
    path: path.map((each) => ({
      sha256: sha256Hex(each.der),
      notBefore: each.notBefore,
      notAfter: each.notAfter,
      extendedKeyUsage: each.extendedKeyUsage,
    })),
    issuedBy: issuedBy === null ? null : sha256Hex(issuedBy.der),
  };
  const identity = identityOf(seen, authority.references);
  return {
    certificate,
    seen,
    device: identity === null ? null : namedDevice(identity, seen, request.subject),
  };
}

function observeHardwareModule({ subjectAltName }: Certificate): PresenterObservation['hardwareModule'] {
  let found: ReturnType<typeof hardwareModuleNameOf>;
  try {
    found = hardwareModuleNameOf(subjectAltName);
  } catch {
    // Not the only thing that is wrong with a certificate that cannot be read: it names no device.
    return null;
  }
  if (found === null) return null;
  return { type: found.hardwareType, serialNumber: hardwareSerialNumberText(found.serialNumber) };
}

/** Of an entry's 64 KiB, for what a stranger says in a request, and as much for the client certificate: a hundred names need 16 KiB. */
const maximumRecordedBytes = 24 * 1024;
/** Of all of it where there is evidence too, which has its own bound. */
const maximumBesideEvidence = 36 * 1024;

function demandRecordable(what: string, observed: object, maximum = maximumRecordedBytes): void {
  const length = Buffer.byteLength(JSON.stringify(observed));
  if (length <= maximum) return;
  throw new SallyportError(
    'too-large',
    `${what} holds names and extensions of ${length} bytes, and ${maximum} are recorded`,
  );
}

/** Each layer notes what it sees. One reading of the store for all of them. `nonce`: what evidence is to hold; null: nothing was given out. */
export async function observe(
  asked: Asked,
  authority: Authority,
  store: EnrollmentStore,
  time: number,
): Promise<{ readonly observations: Observations; readonly nonce: Uint8Array | null }> {
  const { admission, credential } = asked;
  const stored = await store.observe({
    secretMacs: asked.secretMacs,
    userName: credential?.kind === 'secret' ? credential.userName : null,
    presenterSha256: asked.presenter?.seen.sha256 ?? null,
    identity: asked.presenter?.device ?? asked.requestedDevice,
    order: credential?.kind === 'order' ? { id: credential.order, account: credential.account } : null,
    evidence: asked.evidence?.sha256 ?? null,
    attester: asked.evidence?.attester ?? null,
    evidenceFormat: asked.evidence?.format ?? null,
    attestingKey: asked.evidence?.attestingKey ?? null,
    spki: asked.spki,
    template: admission.source.template ?? '',
    staticChallenge: asked.challenge?.kind === 'static',
    now: time,
  });
  const observations: Observations = {
    source: admission.source,
    rate: {
      source: { tat: admission.sourceTat },
      device: stored.device === null ? null : { tat: stored.rates.device },
      template: { tat: stored.rates.template },
      ...(stored.rates.presented === null ? {} : { presented: stored.rates.presented }),
      ...(asked.challenge?.kind === 'static' ? { challenge: { tat: stored.rates.challenge } } : {}),
    },
    request: asked.requestObservation,
    secret: asked.secretMacs.length > 0 ? observeSecret(stored) : null,
    ...(asked.challenge === null ? {} : { challenge: asked.challenge }),
    ...(credential?.kind === 'order' ? { order: stored.order } : {}),
    presenter: asked.presenter === null ? null : { ...asked.presenter.seen, record: stored.presenter },
    device: stored.device === null ? null : { ...stored.device, otherKeyCurrent: stored.otherKeyCurrent },
    evidence: observeEvidence(asked, authority, stored),
    key: observeKey(asked, authority, stored),
    approval: stored.approval,
    denials: stored.denials,
    issued: stored.issued,
    ...(asked.presenter === null ? {} : { lineage: stored.lineage }),
  };
  return { observations, nonce: stored.nonce };
}

/** A request that is kept has its evidence in it still. */
function offeredBy({ attestationBundle }: CertificationRequest): OfferedEvidence | null {
  if (attestationBundle === null) return null;
  return new UnseenEvidence({ envelope: 'attestation-bundle', bytes: attestationBundle });
}

function observeEvidence(
  { evidence }: Asked,
  authority: Authority,
  stored: StoreObservation,
): EvidenceObservation {
  if (evidence === null) return { offered: [] };
  // Nobody is asked twice about what came with this same request.
  const verified = evidence.external === null ? null : stored.verifiedEvidence;
  return evidenceObservation(verified ?? evidence.examined(stored.nonce), authority, stored);
}

function observeRequest(
  request: CertificationRequest,
  { channelBindings, keygen, possessed }: EnrollmentRequest,
  presented: readonly Extension[],
): RequestObservation {
  const possession = possessed ?? (keygen ? isSignedWithItsKey(request) : verifyPossession(request));
  const isPresented = ({ oid, value }: Extension) =>
    presented.some((own) => own.oid === oid && Buffer.compare(own.value, value) === 0);
  return {
    subject: request.subject,
    subjectAltName: request.subjectAltName,
    extensions: request.extensions.map((extension) => ({
      oid: extension.oid,
      critical: extension.critical,
      value: Buffer.from(extension.value).toString('base64'),
      ...(isPresented(extension) ? { presented: true } : {}),
    })),
    changeSubjectName: request.changeSubjectName,
    spki: keygen
      ? sha256Hex(Buffer.concat([keygenPrefix(possession), request.spki]))
      : sha256Hex(request.spki),
    possession,
    channelBinding:
      channelBindings === null ? 'absent' : observeChannelBinding(request.challengePassword, channelBindings),
  };
}

/**
 * What is granted for a key that the authority makes is bound to no key that is certified, and what was granted to a request with a proven key
 * goes to none without: a public key is known to others.
 */
function keygenPrefix(possession: boolean): Buffer {
  return Buffer.from(possession ? 'serverkeygen' : 'serverkeygen unsigned');
}

/** RFC 7030 section 4.4.1: "the server MUST ignore the public key values and signature in the CSR", so that a bad one refuses nothing. */
function isSignedWithItsKey(request: CertificationRequest): boolean {
  try {
    return verifyPossession(request);
  } catch {
    return false;
  }
}

function observeKey(
  { key, spki, keygen, admission }: Asked,
  authority: Authority,
  stored: StoreObservation,
): KeyObservation {
  if (keygen) {
    // Made when the request is allowed, and not before: a refusal costs nothing.
    const algorithm =
      named(authority.references.templates, admission.source.template)?.serverKeygen ?? 'none';
    return { origin: 'authority', spki: null, algorithm, bits: 0, weaknesses: [], shared: false };
  }
  const { algorithm, bits, weaknesses } = inspectPublicKey(key);
  return { origin: 'device', spki, algorithm, bits, weaknesses, shared: stored.keyShared };
}

function observeSecret(stored: StoreObservation): SecretObservation {
  const { secret, userNameDevice } = stored;
  return {
    id: secret?.id ?? null,
    ...(secret?.deviceId === null ? { unbound: true } : {}),
    userNameDevice,
    state: secret?.state ?? null,
    expiresAt: secret?.expiresAt ?? null,
    template: secret?.template ?? null,
    expected: secret?.expected ?? null,
    reservedFor: secret?.reservedFor ?? null,
    certificate: secret?.certificate ?? null,
  };
}
