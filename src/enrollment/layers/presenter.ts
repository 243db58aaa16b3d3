import type { Context } from '#policy';
import { sameGeneralNames, sameName } from '#x509';
import type { PresenterObservation, RequestObservation } from '../observations.ts';
import type { References } from '../references.ts';
import { Finding } from './finding.ts';

/** The certificate that asks to be renewed: ours, current, of this template, and for the names asked. RFC 7030 section 4.2.2. */
export function derivePresenter(
  presenter: PresenterObservation,
  references: References,
  asked: { template: string | null; request: RequestObservation | null; time: number },
): Finding<NonNullable<Context['presenter']>> {
  const { record } = presenter;
  const ours = Object.values(references.issuers).some(({ certificates }) =>
    presenter.issuedBy === null ? false : certificates.includes(presenter.issuedBy),
  );
  const facts = {
    issuedHere: ours && !presenter.selfSigned,
    known: record !== null,
    endEntity: !presenter.isCa,
    unexpired: presenter.notBefore <= asked.time && asked.time < presenter.notAfter,
    unrevoked: record !== null && !record.revoked,
    sameTemplate: record !== null && record.template === asked.template,
    sameNames: asked.request !== null && keepsNames(presenter, asked.request),
  };
  const name = `certificate ${presenter.sha256.slice(0, 16)}`;
  const finding = new Finding(facts)
    .because(
      'renewal-issued-here',
      facts.issuedHere,
      presenter.selfSigned ? `${name} is self-signed` : `${name} was not issued by this authority`,
    )
    .because('renewal-known', facts.known, `${name} is not in the log of this authority`)
    .because('renewal-end-entity', facts.endEntity, `${name} is a CA's`)
    .because('renewal-unexpired', facts.unexpired, `${name} has expired or is not valid yet`)
    .because(
      'renewal-names',
      facts.sameNames,
      'the request names another subject or other subject alternative names than the certificate',
    );
  if (record === null) return finding;
  return finding
    .because('renewal-unrevoked', facts.unrevoked, `${name} is revoked`)
    .because(
      'renewal-template',
      facts.sameTemplate,
      `${name} is of template ${record.template}, not ${asked.template}`,
    );
}

/** A request without subject or without SAN asks for no change of it. */
function keepsNames(presenter: PresenterObservation, request: RequestObservation): boolean {
  return (
    (request.subject.length === 0 || sameName(request.subject, presenter.subject)) &&
    (request.subjectAltName.length === 0 ||
      sameGeneralNames(request.subjectAltName, presenter.subjectAltName))
  );
}
