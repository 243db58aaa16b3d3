import { type Certificate, buildName, der, oids, type RequestAttribute } from '#x509';
import { type ClientKey, csrFor, type CsrSettings } from '../../harness/csr.ts';
import { type BuiltMessage, issuerAndSubject } from '../../harness/scep-client.ts';
import type { ScepDevice } from '../../harness/scep-device.ts';
import { pkiMessage, type WireForm } from './pki-message.ts';

/** A challengePassword as clients write it: a PrintableString (RFC 2985 section 5.4.1). */
export function challenge(secret: string): RequestAttribute {
  return { oid: oids.challengePassword, values: [der.printableString(secret)] };
}

/** By which a client is known in one transaction. */
export interface WireIdentity {
  readonly certificate: Certificate;
  readonly transactionId: string;
}

/** A PKCSReq with the device's secret. */
export function firstRequest(
  form: WireForm,
  device: ScepDevice,
  { certificate, transactionId }: WireIdentity,
  more: Partial<CsrSettings> = {},
): BuiltMessage {
  const { id, key, secret, client } = device;
  const attributes = [challenge(secret), ...(more.attributes ?? [])];
  const content = csrFor(id, key, { ...more, attributes });
  return pkiMessage(
    form,
    { messageType: '19', transactionId, content, signer: { certificate, key } },
    client.ra,
  );
}

/** For a new key, signed with the certificate that the device has, and no secret. */
export function renewalRequest(
  form: WireForm,
  device: ScepDevice,
  { certificate, transactionId }: WireIdentity,
  newKey: ClientKey,
  more: Partial<CsrSettings> = {},
): BuiltMessage {
  const signer = { certificate, key: device.key };
  const content = csrFor(device.id, newKey, more);
  return pkiMessage(form, { messageType: '19', transactionId, content, signer }, device.client.ra);
}

/** A CertPoll of what a first request has begun. */
export function pollRequest(
  form: WireForm,
  device: ScepDevice,
  { certificate, transactionId }: WireIdentity,
  issuer: Certificate = device.client.cas[0]!,
): BuiltMessage {
  const subject = buildName([{ type: 'commonName', value: device.id }]);
  const content = issuerAndSubject(issuer, subject);
  const signer = { certificate, key: device.key };
  return pkiMessage(form, { messageType: '20', transactionId, content, signer }, device.client.ra);
}
