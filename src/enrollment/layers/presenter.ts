import type { ExpandedNames, Template } from '#ca';
import type { Context } from '#policy';
import { generalNameKey, type Name, sameGeneralNames, sameName } from '#x509';
import type {
  KeyObservation,
  PresenterObservation,
  RequestObservation,
  SourceObservation,
} from '../observations.ts';
import type { References } from '../references.ts';
import { keepsOmittedNames } from '../requested-names.ts';
import { Finding } from './finding.ts';

/** The certificate that asks to be renewed: ours, current, of this template, and for the names asked. RFC 7030 section 4.2.2. */
export function derivePresenter(
  presenter: PresenterObservation,
  references: References,
  asked: {
    template: Template | undefined;
    /** Names the template: one that is no longer configured has a name too. */
    source: SourceObservation;
    request: RequestObservation | null;
    names: Names | null;
    key: KeyObservation | null;
    time: number;
  },
): Finding<NonNullable<Context['presenter']>> {
  const { record } = presenter;
  const { template, source, request, names, key, time } = asked;
  const ours = Object.values(references.issuers).some(({ certificates }) =>
    presenter.issuedBy === null ? false : certificates.includes(presenter.issuedBy),
  );
  const facts = {
    issuedHere: ours && !presenter.selfSigned,
    known: record !== null,
    endEntity: !presenter.isCa,
    unexpired: presenter.notBefore <= time && time < presenter.notAfter,
    unrevoked: record !== null && !record.revoked,
    sameTemplate: record !== null && record.template === source.template,
    sameNames: false,
    keyAllowed: template !== undefined && allowsKey(template.renewal.key, presenter, key),
  };
  const namesProblem =
    template === undefined || request === null || names === null
      ? 'nobody knows which names the certificate is to have'
      : nameProblem(presenter, template, source, request, names);
  facts.sameNames = namesProblem === null;
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
    .because('renewal-names', facts.sameNames, namesProblem ?? '')
    .because(
      'renewal-key',
      facts.keyAllowed,
      `a renewal of template ${template?.name ?? '(none)'} is for ${template?.renewal.key === 'new' ? 'another' : 'the same'} key`,
    );
  if (record === null) return finding;
  return finding
    .because('renewal-unrevoked', facts.unrevoked, `${name} is revoked`)
    .because(
      'renewal-template',
      facts.sameTemplate,
      `${name} is of template ${record.template}, not ${source.template}`,
    );
}

type Names = Pick<ExpandedNames, 'subject' | 'subjectAltName' | 'admitted'>;

/** "The request Subject field and SubjectAltName extension MUST be identical to the corresponding fields in the certificate being renewed/rekeyed." */
function nameProblem(
  presenter: PresenterObservation,
  template: Template,
  source: SourceObservation,
  request: RequestObservation,
  built: Names,
): string | null {
  const { renewal, name } = template;
  const kept = keepsOmittedNames(template, source);
  if (!(kept && request.subject.length === 0) && !isIdentical(request.subject, presenter.subject)) {
    return 'the request names another subject than the certificate';
  }
  const { subjectAltName } = request;
  if (!(kept && subjectAltName.length === 0) && !sameGeneralNames(subjectAltName, presenter.subjectAltName)) {
    return 'the request names other subject alternative names than the certificate';
  }
  if (request.changeSubjectName !== null) {
    if (!renewal.changeSubjectName) {
      return `the request asks to change names, and template ${name} does not allow it`;
    }
    // What no inventory gave it, a device does not take on by itself: that is a first enrollment's matter, with its gate.
    const had = new Set(presenter.subjectAltName.map(generalNameKey));
    return built.admitted.every((each) => had.has(generalNameKey(each)))
      ? null
      : 'the request asks for alternative names that neither the inventory gives nor the certificate has';
  }
  const builtAlike =
    sameName(built.subject, presenter.subject) &&
    sameGeneralNames(built.subjectAltName, presenter.subjectAltName);
  return builtAlike ? null : 'the inventory gives this device other names now than the certificate has';
}

/** The string types that RFC 5280 section 7.1 compares by their characters. What another one says depends on who reads it. */
const comparable: ReadonlySet<string> = new Set(['utf8', 'printable', 'ia5']);

function isIdentical(asked: Name, current: Name): boolean {
  return asked.flat().every(({ encoding }) => comparable.has(encoding)) && sameName(asked, current);
}

function allowsKey(
  wanted: Template['renewal']['key'],
  presenter: PresenterObservation,
  key: KeyObservation | null,
): boolean {
  if (wanted === 'any') return true;
  const same = key !== null && key.spki === presenter.spki;
  return wanted === 'same' ? same : key !== null && !same;
}
