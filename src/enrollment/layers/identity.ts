import type { Template } from '#ca';
import type { Context } from '#policy';
import { extendedKeyUsages } from '#x509';
import { identityOf, namedDevice } from '../identity.ts';
import type { DeviceObservation, PresenterObservation, RequestObservation } from '../observations.ts';
import type { References } from '../references.ts';
import { Finding } from './finding.ts';

/** The client certificate of a first enrollment: an identity that came from elsewhere. What does it vouch for? */
export function deriveIdentity(
  presenter: PresenterObservation,
  references: References,
  asked: {
    device: DeviceObservation | null;
    template: Template | undefined;
    request: RequestObservation | null;
    time: number;
  },
): Finding<NonNullable<Context['identity']>> {
  const { device, template, request, time } = asked;
  const identity = identityOf(presenter, references);
  const key = identity === null ? null : namedDevice(identity, presenter, request?.subject ?? []);
  const facts = {
    kind: identity?.kind ?? ('none' as const),
    known: identity !== null,
    current: validities(presenter).every(({ notBefore, notAfter }) => notBefore <= time && time < notAfter),
    purpose: hasPurpose(presenter, identity?.kind ?? null),
    forTemplate:
      identity !== null &&
      template !== undefined &&
      identity.templates.includes(template.name) &&
      template.authentication.includes(identity.kind),
    forDevice:
      identity !== null &&
      device !== null &&
      key !== null &&
      device[key.column] === key.value &&
      identity.classes.includes(device.deviceClass),
  };
  const name = `client certificate ${presenter.sha256.slice(0, 16)}`;
  const finding = new Finding(facts).because(
    'identity-known',
    facts.known,
    `${name} belongs to no identity of the configuration`,
  );
  if (identity === null) return finding;
  return finding
    .because('identity-current', facts.current, `${name}, or a CA above it, has expired or is not valid yet`)
    .because(
      'identity-purpose',
      facts.purpose,
      identity.kind === 'ra'
        ? `${name} has no id-kp-cmcRA, may not sign, or is a CA's`
        : `${name} is a CA's, may not sign, or is for something else than clientAuth by its extended key usage or that of a CA above it`,
    )
    .because(
      'identity-template',
      facts.forTemplate,
      `an identity of kind ${identity.kind} may not vouch for template ${template?.name ?? '(none)'}`,
    )
    .because(
      'identity-device',
      facts.forDevice,
      device === null
        ? `${name} names no device of the inventory`
        : `${name} may not vouch for device ${device.id} of class ${device.deviceClass}`,
    );
}

function validities({ path, notBefore, notAfter }: PresenterObservation) {
  return [{ notBefore, notAfter }, ...path];
}

/**
 * RFC 5280 sections 4.2.1.3 and 4.2.1.12, RFC 7030 section 3.3.2: signs, where it says what its key is for; for clientAuth, where it says so;
 * cmcRA of a registration authority, and of nobody else.
 */
function hasPurpose(
  { isCa, keyUsage, extendedKeyUsage, path }: PresenterObservation,
  kind: string | null,
): boolean {
  if (isCa || keyUsage?.includes('digitalSignature') === false) return false;
  const forwards = extendedKeyUsage?.includes(extendedKeyUsages.cmcRA) === true;
  // It is on the list itself, whoever issued it.
  if (kind === 'ra') return forwards;
  return (
    !forwards &&
    (extendedKeyUsage === null || extendedKeyUsage.includes(extendedKeyUsages.clientAuth)) &&
    path.slice(1).every(mayIssueForClients)
  );
}

/** The purposes of a CA limit what is below it, as OpenSSL, Windows and browsers have it; RFC 5280 leaves that to them. */
function mayIssueForClients({ extendedKeyUsage }: PresenterObservation['path'][number]): boolean {
  const { clientAuth, anyExtendedKeyUsage } = extendedKeyUsages;
  return (
    extendedKeyUsage === null ||
    [clientAuth, anyExtendedKeyUsage].some((each) => extendedKeyUsage.includes(each))
  );
}
