import type { RequestedNames, Template } from '#ca';
import { extensionOids } from '#x509';
import type { PresenterObservation, RequestObservation, SourceObservation } from './observations.ts';

/** A renewal that names nothing keeps what its certificate has: where its template says so, and in SCEP, which does not demand names (RFC 8894 section 2.3). */
export function keepsOmittedNames(
  { renewal }: Template,
  { protocol }: Pick<SourceObservation, 'protocol'>,
): boolean {
  return renewal.omittedNames === 'kept' || protocol === 'scep';
}

/**
 * The names that count as asked for. A renewal may ask to change them (RFC 6402 section 2.8), and where its template says so one that
 * names nothing keeps what its certificate has. An extension that its certificate has asks for nothing: what the new one has is the
 * template's.
 */
export function requestedNames(
  request: RequestObservation,
  template: Template,
  renewed: PresenterObservation | null,
  source: Pick<SourceObservation, 'protocol'>,
): RequestedNames {
  if (renewed === null) return request;
  const change = request.changeSubjectName;
  const kept = keepsOmittedNames(template, source);
  const subject =
    change?.subject ?? (kept && request.subject.length === 0 ? renewed.subject : request.subject);
  const subjectAltName =
    change?.subjectAltName ??
    (kept && request.subjectAltName.length === 0 ? renewed.subjectAltName : request.subjectAltName);
  // The SAN asked for may no longer be the one among the extensions.
  const extensions = request.extensions.filter(
    ({ oid, presented = false }) => oid !== extensionOids.subjectAltName && !presented,
  );
  return { subject, subjectAltName, extensions };
}
