import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parseCertificate } from '#x509';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { type ClientKey, makeKey } from '../../harness/csr.ts';
import type { BuiltMessage } from '../../harness/scep-client.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { streamed } from './ber.ts';
import { ownCertificate } from './own-certificate.ts';
import type { WireForm } from './pki-message.ts';
import { firstRequest, pollRequest, renewalRequest, type WireIdentity } from './requests.ts';
import { approve, certRepOf, type HttpForm, send, wireAuthority } from './wire.ts';

/*
 * Android has no SCEP client [K]: the agent of an MDM has one, Knox' among them. [X] micromdm/scep#20: an application with jscep 2.4.0. So this is jscep's
 * way, by Android's HTTP. [S]: read in jscep/jscep at f2bae83; the library itself is in test/interop/jscep.test.ts.
 */

/** [S] application/octet-stream. [K] Android's HttpURLConnection for the rest. */
const http: HttpForm = {
  version: '1.1',
  headers: [
    'Content-Type: application/octet-stream',
    'User-Agent: Dalvik/2.1.0 (Linux; U; Android 15; SM-S931B Build/AP3A.240905.015)',
    'Host: HOST',
    'Connection: Keep-Alive',
    'Accept-Encoding: gzip',
  ],
};

/** [X] micromdm/scep#20 and #79: BER. [S] AES, and the longest SHA of the capabilities. */
const form: WireForm = { cipher: 'aes-128-cbc', digest: 'sha512', ber: streamed(1000) };

/** [S] SHA-1 of the SubjectPublicKeyInfo in lower-case hexadecimal. [X] Number 1. */
function identityOf(key: ClientKey, commonName: string): WireIdentity {
  const certificate = ownCertificate(key, commonName, { serialNumber: Uint8Array.of(1) });
  return { certificate, transactionId: hash('sha1', key.spki) };
}

describe('the fixture of an agent on Android', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup);
  });
  const ask = async (request: BuiltMessage) =>
    certRepOf(await send(authority, http, '/scep/device?operation=PKIOperation', request.body), request);

  test('enrolls in BER, and renews by a PKCSReq that its certificate signs [S]', async () => {
    const device = await ScepDevice.make(authority, 'android');
    const first = await ask(firstRequest(form, device, identityOf(device.key, device.id)));
    assert.equal(first.pkiStatus, 'success', first.text);
    const [certificate, newKey] = [parseCertificate(first.certificates[0]!), makeKey('rsa-2048')];
    const { transactionId } = identityOf(newKey, device.id);
    const again = await ask(renewalRequest(form, device, { certificate, transactionId }, newKey));
    assert.equal(again.pkiStatus, 'success', again.text);
  });

  test('polls, and is never given a senderNonce that it has seen, which it would refuse [S]', async () => {
    const device = await ScepDevice.make(authority, 'android-waits', { approved: false });
    const identity = identityOf(device.key, device.id);
    const nonces = new Set<string>();
    for (const build of [firstRequest, pollRequest, pollRequest]) {
      const { pkiStatus, senderNonce } = await ask(build(form, device, identity));
      assert.equal(pkiStatus, 'pending');
      nonces.add(senderNonce);
    }
    assert.equal(nonces.size, 3);
    await approve(authority, device.id);
    assert.equal((await ask(pollRequest(form, device, identity))).pkiStatus, 'success');
  });

  // [S] Where the capabilities have no POST: base64 in one line, its characters as they are.
  test('sends a message by GET with nothing escaped [S]', async () => {
    const device = await ScepDevice.make(authority, 'android-get');
    const request = firstRequest(form, device, identityOf(device.key, device.id));
    const message = Buffer.from(request.body).toString('base64');
    const answer = await send(authority, http, `/scep/device?operation=PKIOperation&message=${message}`);
    assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
  });
});
