import type { Template } from '#ca';
import type { Context } from '#policy';
import type {
  OrderObservation,
  PresenterObservation,
  RequestObservation,
  SourceObservation,
} from '../observations.ts';
import { authorizationOf, identifierKey, identifierOf, isDeviceIdentifier, isWithinNames } from '../order.ts';
import { Finding } from './finding.ts';

type AccountFacts = NonNullable<Context['account']>;

type AskedNames = Pick<RequestObservation, 'spki' | 'subjectAltName' | 'changeSubjectName'>;

const none: AccountFacts = {
  presented: false,
  valid: false,
  forTemplate: false,
  forRequest: false,
  withinNames: false,
  withinCount: false,
  authorized: false,
  approved: false,
};

/** The ACME account, and its order. `request`: with the names as they count; `notAfter`: as it would be. What comes by ACME and has no order proves nothing. */
export function deriveAccount(
  order: OrderObservation | null,
  asked: {
    source: SourceObservation;
    template: Pick<Template, 'authentication' | 'acme'> | undefined;
    request: AskedNames | null;
    renewed: PresenterObservation | null;
    notAfter: number | null;
    /** The evidence of the order holds in every respect. */
    attested: boolean;
    time: number;
  },
): Finding<AccountFacts> {
  const { source, template, request, renewed, notAfter, attested, time } = asked;
  if (source.protocol !== 'acme') {
    // Who holds its key alone has no account, and proves no name: it would be renewed for ever, whatever became of the account.
    if (renewed?.record?.ordered !== true) return new Finding(none);
    const words = 'an ACME account has ordered the certificate: another order renews it';
    return new Finding({ ...none, presented: true }).because('account-valid', false, words);
  }
  if (order === null) {
    return new Finding({ ...none, presented: true }).because(
      'account-valid',
      false,
      'there is no such order',
    );
  }
  const { account, key } = order;
  const names = order.identifiers.map(({ value }) => value).join(', ');
  const unproven = order.identifiers.filter((identifier) => {
    const wanted = authorizationOf(identifier);
    // What counted when the order was finalized counts while it is held.
    const moment = order.finalizedAt ?? time;
    return !order.authorizations.some(
      ({ type, value, wildcard, status, expiresAt }) =>
        identifierKey(wanted) === identifierKey({ type, value }) &&
        wanted.wildcard === wildcard &&
        status === 'valid' &&
        moment < expiresAt,
    );
  });
  const strange = order.identifiers.filter((identifier) => !isWithinNames(identifier, key?.names ?? null));
  const orderProblem = problemOf(order, request, notAfter, time);
  const facts: AccountFacts = {
    presented: true,
    valid: account.status === 'valid' && (key === null ? attested : key.state === 'spent'),
    forTemplate:
      order.template === source.template &&
      (key === null
        ? template?.acme?.externalAccountKey === 'optional'
        : key.templates.includes(order.template)) &&
      template?.authentication.includes('account') === true,
    forRequest: orderProblem === null,
    withinNames: strange.length === 0,
    withinCount:
      key === null || key.maximumCertificates === null || order.otherNames < key.maximumCertificates,
    authorized: order.identifiers.length > 0 && unproven.length === 0,
    approved: key !== null && key.approvedBy !== null && key.names !== null,
  };
  return new Finding(facts)
    .because(
      'account-valid',
      facts.valid,
      account.status !== 'valid'
        ? `account ${account.id} is ${account.status}`
        : key === null
          ? `account ${account.id} has no external account key, and the evidence of its order does not hold`
          : `external account key ${key.id} of account ${account.id} is ${key.state}`,
    )
    .because(
      'account-template',
      facts.forTemplate,
      key === null
        ? `template ${order.template} takes no account without an external account key, or the request is of another`
        : `account ${account.id} may have ${key.templates.join(', ')}; the order is of template ${order.template}`,
    )
    .because('account-order', facts.forRequest, orderProblem ?? '')
    .because(
      'account-names',
      facts.withinNames,
      `account ${account.id} was not given ${strange.map(({ value }) => value).join(', ')}`,
    )
    .because(
      'account-count',
      facts.withinCount,
      `account ${account.id} has current certificates for ${order.otherNames} other sets of names than ${names}, and may have ${key?.maximumCertificates} in all`,
    )
    .because(
      'account-authorized',
      facts.authorized,
      `account ${account.id} has no valid authorization for ${unproven.map(({ value }) => value).join(', ')}`,
    );
}

/** RFC 8555 section 7.4: "The CSR MUST indicate the exact same set of requested identifiers as the initial newOrder request." */
function problemOf(
  order: OrderObservation,
  request: AskedNames | null,
  notAfter: number | null,
  time: number,
): string | null {
  if (request === null) return 'there is no certification request';
  if (order.finalizedSpki !== null && order.finalizedSpki !== request.spki) {
    return `order ${order.id} was finalized with another key`;
  }
  if (order.failed) return `order ${order.id} is invalid`;
  if (order.finalizedAt === null && time >= order.expiresAt) return `order ${order.id} has expired`;
  if (order.notAfter !== null && (order.notAfter <= time || notAfter !== order.notAfter)) {
    return `a certificate cannot end when order ${order.id} has it end`;
  }
  // What it says beside its names would replace them.
  if (request.changeSubjectName !== null) return 'the request asks for other names than it has';
  // Of a device the request may say nothing (draft-ietf-acme-device-attest section 5), and what it says beside is for its template to admit.
  if (order.identifiers.every(isDeviceIdentifier)) return null;
  const asked = request.subjectAltName.map((name) => identifierOf(name));
  const keys = new Set(asked.map((identifier) => identifier && identifierKey(identifier)));
  const ordered = new Set(order.identifiers.map(identifierKey));
  const same = keys.size === ordered.size && [...keys].every((key) => key !== null && ordered.has(key));
  return same ? null : `the request names other identifiers than order ${order.id}`;
}
