import type { Context } from '#policy';
import { sameGeneralNames, sameName } from '#x509';
import type { RequestObservation, SecretObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/** The one-time secret: is it live, and is it for this device, template, key and these names? */
export function deriveSecret(
  secret: SecretObservation,
  asked: {
    deviceId: string | null;
    template: string | null;
    /** The template takes secrets at all. */
    takesSecrets: boolean;
    spki: string | null;
    names: string | null;
    keygen: boolean;
    request: RequestObservation | null;
    time: number;
  },
): Finding<NonNullable<Context['secret']>> {
  const forSameRequest = isForSameRequest(secret, asked);
  const unused =
    secret.state === 'live' ||
    (secret.state === 'reserved' && forSameRequest) ||
    isRequestAgain(secret, asked);
  const facts = {
    known: secret.id !== null,
    notVoid: secret.state !== null && secret.state !== 'void',
    // A lifetime counts until the request arrives: what is reserved for this same request keeps its reservation.
    unexpired:
      secret.expiresAt !== null && (asked.time < secret.expiresAt || (unused && secret.state !== 'live')),
    unused,
    forTemplate: secret.template !== null && secret.template === asked.template && asked.takesSecrets,
    forRequest: secret.id !== null && asked.request !== null && expects(secret, asked.request),
    forDevice:
      secret.id !== null &&
      asked.deviceId !== null &&
      (secret.userNameDevice === null || secret.userNameDevice === asked.deviceId),
  };
  const finding = new Finding(facts);
  if (!facts.known) return finding.because('secret-known', false, 'no secret has this value');
  return finding
    .because('secret-not-void', facts.notVoid, `secret ${secret.id} was voided`)
    .because('secret-unexpired', facts.unexpired, `secret ${secret.id} has expired`)
    .because('secret-unused', facts.unused, usedWords(secret, forSameRequest, asked.keygen))
    .because(
      'secret-template',
      facts.forTemplate,
      secret.template === asked.template
        ? `template ${asked.template} takes no secrets`
        : `secret ${secret.id} is for template ${secret.template}, not ${asked.template}`,
    )
    .because(
      'secret-request',
      facts.forRequest,
      `secret ${secret.id} expects another subject or subject alternative name`,
    )
    .because(
      'secret-device',
      facts.forDevice,
      `secret ${secret.id} is for device ${asked.deviceId}; the user name names device ${secret.userNameDevice}`,
    );
}

/** The secret was spent for this same request (template, key and names), and its certificate is still current. */
export function isRequestAgain(
  secret: SecretObservation,
  asked: { template: string | null; spki: string | null; names: string | null; keygen: boolean },
): boolean {
  return (
    // A key that the authority made was delivered once, and is kept nowhere.
    !asked.keygen &&
    secret.state === 'spent' &&
    secret.certificate !== null &&
    secret.template === asked.template &&
    isForSameRequest(secret, asked)
  );
}

function isForSameRequest(
  { reservedFor }: SecretObservation,
  { spki, names }: { spki: string | null; names: string | null },
): boolean {
  return reservedFor !== null && reservedFor.spki === spki && reservedFor.names === names;
}

function expects(secret: SecretObservation, request: RequestObservation): boolean {
  if (secret.expected === null) return true;
  const { subject, subjectAltName } = secret.expected;
  return (
    (subject === null || sameName(subject, request.subject)) &&
    (subjectAltName === null || sameGeneralNames(subjectAltName, request.subjectAltName))
  );
}

function usedWords(secret: SecretObservation, forSameRequest: boolean, keygen: boolean): string {
  if (secret.state === 'void') return `secret ${secret.id} was voided`;
  if (secret.state === 'spent' && forSameRequest && keygen) {
    return `secret ${secret.id} is spent, and the key it brought is kept nowhere: a new secret brings another`;
  }
  if (secret.state === 'spent' && forSameRequest) {
    return `secret ${secret.id} is spent, and its certificate is no longer current`;
  }
  return `secret ${secret.id} is ${secret.state} for another request: another key or other names came with it`;
}
