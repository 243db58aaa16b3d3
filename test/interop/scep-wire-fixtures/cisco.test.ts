import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parseCertificate } from '#x509';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { type ClientKey, makeKey } from '../../harness/csr.ts';
import type { BuiltMessage } from '../../harness/scep-client.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { ownCertificate } from './own-certificate.ts';
import type { WireForm } from './pki-message.ts';
import { firstRequest, pollRequest, renewalRequest, type WireIdentity } from './requests.ts';
import { approve, certRepOf, type HttpForm, send, wireAuthority, withLegacyAlgorithms } from './wire.ts';

/* Routers with Cisco IOS and IOS XE. [X]: a recording that securesenses.net describes (2013-04), smallstep/certificates#916 and #2100, Cisco's guides. */

/** [X] A GET each time, HTTP/1.0, with a Host. */
const http: HttpForm = { version: '1.0', headers: ['Host: HOST'] };

/** [X] Added to the address that the operator gives, where that names no script. */
const base = '/cgi-bin/pkiclient.exe';
const form: WireForm = { cipher: 'des-ede3-cbc', digest: 'sha1', signingTime: false };

/** [K] A digest of the key in hexadecimal, which is its serial number too. */
function identityOf(key: ClientKey, commonName: string): WireIdentity {
  const transactionId = hash('md5', key.spki).toUpperCase();
  const serialNumber = Buffer.from(transactionId, 'hex');
  return { certificate: ownCertificate(key, commonName, { serialNumber }), transactionId };
}

/** [X] base64 with a line end behind it, both escaped. */
function target({ body }: BuiltMessage): string {
  const message = encodeURIComponent(`${Buffer.from(body).toString('base64')}\n`);
  return `${base}?operation=PKIOperation&message=${message}`;
}

describe('the fixture of Cisco IOS', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup, (yaml) =>
      withLegacyAlgorithms(yaml).replace(
        '  device:\n',
        '  device:\n    request: { ignoredSubjectAttributes: [unstructuredName] }\n',
      ),
    );
  });
  const ask = async (request: BuiltMessage) =>
    certRepOf(await send(authority, http, target(request)), request);

  test('asks with the name of its trustpoint [X]', async () => {
    const answer = await send(authority, http, `${base}?operation=GetCACert&message=SCEPLab`);
    // RA mode: a list of certificates, which `enrollment mode ra` expects.
    assert.equal(answer.header('Content-Type'), 'application/x-x509-ca-ra-cert');
  });

  test('enrolls with SHA-1 and 3DES where its class may, and renews by a PKCSReq for a new key [X]', async () => {
    const device = await ScepDevice.make(authority, 'cisco');
    const first = await ask(firstRequest(form, device, identityOf(device.key, device.id)));
    assert.equal(first.pkiStatus, 'success', first.text);
    const newKey = makeKey('rsa-2048');
    const { transactionId } = identityOf(newKey, device.id);
    const certificate = parseCertificate(first.certificates[0]!);
    const again = await ask(renewalRequest(form, device, { certificate, transactionId }, newKey));
    assert.equal(again.pkiStatus, 'success', again.text);
  });

  // [K] `fqdn` of a trustpoint. [X] in the configuration of smallstep/certificates#916.
  test('names itself in its subject by unstructuredName too, which a template ignores by name [K]', async () => {
    const device = await ScepDevice.make(authority, 'cisco-fqdn');
    const subject = [
      { type: 'unstructuredName', value: 'cisco-fqdn.example.org' },
      { type: 'commonName', value: device.id },
    ];
    const request = firstRequest(form, device, identityOf(device.key, device.id), { subject });
    const { pkiStatus, text } = await ask(request);
    assert.equal(pkiStatus, 'success', text);
  });

  test('polls by GET under the same transactionID [X]', async () => {
    const device = await ScepDevice.make(authority, 'cisco-waits', { approved: false });
    const identity = identityOf(device.key, device.id);
    assert.equal((await ask(firstRequest(form, device, identity))).pkiStatus, 'pending');
    assert.equal((await ask(pollRequest(form, device, identity))).pkiStatus, 'pending');
    await approve(authority, device.id);
    assert.equal((await ask(pollRequest(form, device, identity))).pkiStatus, 'success');
  });

  // [X] smallstep/certificates#2100, a recording of IOS 12.4.
  test('is told badAlg with single DES, whoever it is', async () => {
    const device = await ScepDevice.make(authority, 'cisco-des');
    const request = firstRequest({ ...form, cipher: 'des-cbc' }, device, identityOf(device.key, device.id));
    const { pkiStatus, failInfo } = await ask(request);
    assert.deepEqual([pkiStatus, failInfo], ['failure', '0']);
  });

  test('gets no CertRep for a message that MD5 signs, whoever it is', async () => {
    const device = await ScepDevice.make(authority, 'cisco-md5');
    const request = firstRequest({ ...form, digest: 'md5' }, device, identityOf(device.key, device.id));
    const answer = await send(authority, http, target(request));
    assert.deepEqual([answer.status, answer.header('Content-Type')], [400, 'text/plain; charset=utf-8']);
    assert.match(answer.body.toString(), /digest 1\.2\.840\.113549\.2\.5 is not accepted/);
  });
});
