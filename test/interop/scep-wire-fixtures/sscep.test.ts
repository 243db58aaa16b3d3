import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parseCertificate } from '#x509';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { type ClientKey, makeKey } from '../../harness/csr.ts';
import { type BuiltMessage, issuerAndSerial } from '../../harness/scep-client.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { ownCertificate } from './own-certificate.ts';
import { pkiMessage, type WireForm } from './pki-message.ts';
import { firstRequest, pollRequest, renewalRequest, type WireIdentity } from './requests.ts';
import {
  approve,
  certRepOf,
  type HttpForm,
  scepAttribute,
  send,
  signedAttribute,
  wireAuthority,
} from './wire.ts';

/*
 * sscep 0.10.0, of which Debian has no package. [S]: read in certnanny/sscep at 0c8f196, src/net.c, pkcs7.c and sscep.c, and seen of the program itself,
 * which enrolled, renewed, polled and looked up here in November 2026.
 */

/** [S] It writes these lines and no others, and reads to the end of the connection. */
const http: HttpForm = { version: '1.1', headers: ['Host: HOST', 'Connection: close'] };
/** [S] The first of AES and the last of SHA among the capabilities. */
const form: WireForm = { cipher: 'aes-128-cbc', digest: 'sha512' };

/** [S] MD5 of the key, and a certificate whose serial number is 31 of these characters and a NUL: 32 octets. */
function identityOf(key: ClientKey, commonName: string): WireIdentity {
  const transactionId = hash('md5', key.spki).toUpperCase();
  const serialNumber = Buffer.from(`${transactionId.slice(0, 31)}\0`, 'latin1');
  return { certificate: ownCertificate(key, commonName, { serialNumber }), transactionId };
}

const path = '/scep/device';

describe('the fixture of sscep', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup);
  });
  const ask = async (request: BuiltMessage) =>
    certRepOf(await send(authority, http, `${path}?operation=PKIOperation`, request.body), request);

  test('asks for capabilities and certificates, in the order in which it saves them [S]', async () => {
    const caps = await send(authority, http, `${path}?operation=GetCACaps`);
    assert.match(caps.body.toString(), /^POSTPKIOperation$/m);
    const answer = await send(authority, http, `${path}?operation=GetCACert&message=CAIdentifier`);
    assert.equal(answer.header('Content-Type'), 'application/x-x509-ca-ra-cert');
  });

  test('enrolls by a POST without Content-Type, and renews with the certificate it got [S]', async () => {
    const device = await ScepDevice.make(authority, 'sscep');
    const identity = identityOf(device.key, device.id);
    const request = firstRequest(form, device, identity);
    const answer = await send(authority, http, `${path}?operation=PKIOperation`, request.body);
    const { pkiStatus, certificates, text } = await certRepOf(answer, request);
    assert.equal(pkiStatus, 'success', text);
    // [S] It leaves where one of these is missing, and compares the transactionID by its own length.
    const nonce = signedAttribute(request.body, scepAttribute.senderNonce).content;
    assert.deepEqual(signedAttribute(answer.body, scepAttribute.recipientNonce).content, nonce);
    assert.equal(signedAttribute(answer.body, scepAttribute.senderNonce).content.length, 16);
    assert.deepEqual(
      signedAttribute(answer.body, scepAttribute.transactionId).der,
      signedAttribute(request.body, scepAttribute.transactionId).der,
    );

    const [certificate, newKey] = [parseCertificate(certificates[0]!), makeKey('rsa-2048')];
    const { transactionId } = identityOf(newKey, device.id);
    const again = await ask(renewalRequest(form, device, { certificate, transactionId }, newKey));
    assert.equal(again.pkiStatus, 'success', again.text);
  });

  // [S] Where the capabilities have no POST: lines of 64 characters, of which it escapes + - = and the line ends.
  test('sends a message by GET in lines [S]', async () => {
    const device = await ScepDevice.make(authority, 'sscep-get');
    const request = firstRequest(form, device, identityOf(device.key, device.id));
    const message = Buffer.from(request.body)
      .toString('base64')
      .replaceAll(/.{1,64}/g, '$&\n')
      .replaceAll(/[+=\n]/g, encodeURIComponent);
    const answer = await send(authority, http, `${path}?operation=PKIOperation&message=${message}`);
    assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
  });

  // [S] It names the RA in place of the CA: what a poll hides decides nothing.
  test('polls until its request is approved, and names the RA as issuer [S]', async () => {
    const device = await ScepDevice.make(authority, 'sscep-waits', { approved: false });
    const identity = identityOf(device.key, device.id);
    assert.equal((await ask(firstRequest(form, device, identity))).pkiStatus, 'pending');
    await approve(authority, device.id);
    const { pkiStatus, text } = await ask(pollRequest(form, device, identity, device.client.ra));
    assert.equal(pkiStatus, 'success', text);
  });

  for (const [what, messageType] of [
    ['certificate', '21'],
    ['CRL', '22'],
  ] as const) {
    test(`looks up a ${what} under one transactionID for all [S]`, async () => {
      const device = await ScepDevice.enrolled(authority, `sscep-${messageType}`);
      const certificate = device.certificate!;
      const [issuing] = device.client.cas;
      const content = issuerAndSerial(issuing!, certificate.serialNumber);
      const signer = { certificate, key: device.key };
      const transactionId = 'SSCEP transactionId';
      const found = await ask(
        pkiMessage(form, { messageType, transactionId, content, signer }, device.client.ra),
      );
      assert.equal(found.pkiStatus, 'success', found.text);
    });
  }
});
