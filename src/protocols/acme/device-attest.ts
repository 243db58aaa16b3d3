import {
  examinationDigest,
  named,
  newEntry,
  orderedName,
  type OrderIdentifier,
  supportCode,
} from '#enrollment';
import { isSallyportError } from '#errors';
import type { Examination } from '#evidence';
import { decodeBase64Url } from '#jose';
import { demandPower, type Message, ownerOf, payloadOf } from './message.ts';
import type { AcmePorts, Exchange } from './ports.ts';
import { AcmeError, malformed } from './problems.ts';
import type { StoredAccount, StoredAuthorization } from './store.ts';

/** Evidence is as good as its nonce is new: a challenge is answered within this time, and what is not finalized as long after that attests again. */
export const attestedWithinMilliseconds = 3_600_000;
const passingSeconds = 30;

/** draft-ietf-acme-device-attest section 5. The answer holds the evidence, and nothing needs to be looked for. */
export async function answerWithEvidence(
  message: Message,
  found: StoredAuthorization,
  own: StoredAccount,
  exchange: Exchange,
  ports: AcmePorts,
  isAgain = false,
): Promise<void> {
  const bytes = attestationObjectOf(message);
  const { admission } = exchange;
  const { id, type, value, token, template } = found;
  const encoded = (text: string) => Buffer.from(text, 'utf8');
  const {
    examination,
    deviceId,
    problem: words,
    isPassing,
  } = await ports.enrollment.attest({
    id: admission.id,
    deviceId: own.device,
    account: own.id,
    template,
    evidence: { envelope: 'attestation-object', bytes },
    nonce: { toBeSigned: encoded(`${token}.${own.thumbprint}`), token: encoded(token) },
  });
  const otherDevice = identifierProblem({ type, value }, examination);
  // Ours to mend: the challenge is pending, and the same evidence may come again (RFC 8555 section 8.2).
  if (isPassing && (examination.statement === null || otherDevice === null)) throw later(words ?? '');
  const problem = words ?? otherDevice;
  const told = problem === null ? null : refusal(problem, examination);
  const now = ports.now();
  const { authorizationSeconds = 0 } = named(ports.authority().references.templates, template)?.acme ?? {};
  const expiresAt = now + Math.min(attestedWithinMilliseconds, authorizationSeconds * 1000);
  // What a stranger's evidence claims is in no device's record, and is kept nowhere.
  const isOfNobody = own.device === null && problem !== null;
  const seen = {
    ...ownerOf({ id: own.id, device: isOfNobody ? null : deviceId }),
    authorization: id,
    identifier: { type, value },
    method: 'device-attest-01',
    evidence: {
      sha256: examination.sha256,
      format: examination.format,
      examination: examinationDigest(examination),
    },
  };
  const event = {
    type: 'authority',
    version: 2,
    id: `V${supportCode(ports.random).slice(1)}`,
    time: now,
    event: problem === null ? 'authorization.valid' : 'authorization.invalid',
    detail: {
      ...seen,
      template,
      wildcard: false,
      request: admission.id,
      addresses: [],
      ...(problem === null ? { expiresAt } : { problem: { type: told!.document.type, detail: problem } }),
    },
  } as const;
  const kept = isOfNobody ? undefined : bytes;
  try {
    await ports.store.attested({
      id,
      method: 'device-attest-01',
      request: admission.id,
      problem: told === null ? null : told.document,
      expiresAt,
      evidence: isOfNobody ? null : examination,
      owner:
        own.device === null && deviceId !== null && problem === null
          ? { account: own.id, device: deviceId }
          : null,
      now,
      entries: [ports.enrollment.entryOf(admission, seen, 'answered', kept), newEntry(event, ports.random)],
    });
  } catch (error) {
    if (!isSallyportError(error, 'forbidden') || isAgain) throw error;
    // Another order of the account was faster, or somebody ended it: it is judged by what the account is now.
    const account = (await ports.store.account(own.id)) ?? own;
    demandPower(account);
    return answerWithEvidence(message, found, account, exchange, ports, true);
  }
}

/** "attObj": of other members the server takes no notice. */
function attestationObjectOf(message: Message): Uint8Array {
  const { attObj } = payloadOf(message);
  if (typeof attObj !== 'string') throw malformed('attObj must be a string');
  try {
    return decodeBase64Url(attObj, 'attObj');
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new AcmeError('malformed', cause.message, { cause });
  }
}

/** The challenge stays as it is, for the same answer another time. */
function later(problem: string): AcmeError {
  return new AcmeError('serverInternal', problem, {
    status: 503,
    told: 'the evidence could not be looked at now; try again later',
    headers: { 'Retry-After': String(passingSeconds) },
  });
}

/**
 * "The server MUST provide the reason [...] unless the disclosure [...] presents a privacy concern" (draft-ietf-acme-device-attest section 5): what anybody sees who reads the evidence is told. Who is
 * believed, what is asked of a device and how it is called is not, and neither is what the evidence says: the hardware ids of one device are no other's to read.
 */
function refusal(problem: string, { format, fault, statement }: Examination): AcmeError {
  const reason =
    fault !== null && format !== 'external'
      ? `: ${fault.check}`
      : statement?.fresh === false
        ? ': it is not for this challenge'
        : '';
  return new AcmeError('badAttestationStatement', problem, {
    told: `the evidence is not accepted here${reason}`,
  });
}

function identifierProblem(ordered: OrderIdentifier, { statement }: Examination): string | null {
  const name = statement === null ? null : orderedName(statement.identities, ordered);
  return name === null ? `the evidence is not of ${ordered.type} ${ordered.value}` : null;
}
