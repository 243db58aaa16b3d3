import assert from 'node:assert/strict';
import { hash, randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parseCertsOnly } from '#cms';
import { derToPem, parseCertificate, readDer } from '#x509';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { type ClientKey, makeKey } from '../../harness/csr.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { streamed } from './ber.ts';
import { ownCertificate } from './own-certificate.ts';
import type { WireForm } from './pki-message.ts';
import { firstRequest, pollRequest, renewalRequest, type WireIdentity } from './requests.ts';
import {
  approve,
  certRepOf,
  type HttpForm,
  scepAttribute,
  send,
  signedAttribute,
  wireAuthority,
  withLegacyAlgorithms,
} from './wire.ts';

/*
 * [S]: read in apple-oss-distributions/Security at db15acb: OSX/sec/Security/SecSCEP.c makes and reads messages, OSX/libsecurity_smime/lib/SecCMS.c and
 * cmsencode.c encode them, SecurityTool/sharedTool/scep.c speaks HTTP. What iOS and macOS send from their profiles is not published: [X] is what
 * others say of it.
 */

/** [S] The tool's own: HTTP/1.0, and a Content-Type in a GET as well. */
const http: HttpForm = {
  version: '1.0',
  headers: ['Host: HOST', 'Content-Type: application/x-pki-message'],
};

/** [S] The encoder streams: no lengths around the content, octet strings in pieces. Of the capabilities it takes AES and the longest SHA. */
const form: WireForm = { cipher: 'aes-128-cbc', digest: 'sha512', ber: streamed(1024) };

/** [S] A certificate whose subject is a random UUID, and not the request's; upper-case hexadecimal of the SHA-1 of the key, as PKCS #1 writes it. */
function identityOf(key: ClientKey): WireIdentity {
  const certificate = ownCertificate(key, randomUUID().toUpperCase(), { keyUsage: true });
  return { certificate, transactionId: transactionOf(key) };
}

function transactionOf({ spki }: ClientKey): string {
  const [, bits] = [...readDer(spki).sequence('SubjectPublicKeyInfo')];
  return hash('sha1', bits!.content.subarray(1)).toUpperCase();
}

const operation = '/scep/device?operation=';

describe('the fixture of Apple', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup);
  });
  const post = (body: Uint8Array) => send(authority, http, `${operation}PKIOperation`, body);

  test('finds one certificate for both uses by its keyUsage, and a path from it to a root [S]', async () => {
    // [X] micromdm/scep#155: macOS 10.11 sends an empty message where the profile has no Name.
    const caps = await send(authority, http, `${operation}GetCACaps&message=`);
    const lines = caps.body.toString().split('\n');
    for (const each of ['POSTPKIOperation', 'AES', 'SHA-512']) assert.ok(lines.includes(each), each);
    // [X] The Name of the profile is the message.
    const answer = await send(authority, http, `${operation}GetCACert&message=Example`);
    // [S] Compared whole.
    assert.equal(answer.header('Content-Type'), 'application/x-x509-ca-ra-cert');
    const all = parseCertsOnly(answer.body).map((each) => parseCertificate(each));
    const usable = (usage: string) => all.filter(({ keyUsage }) => keyUsage?.includes(usage));
    assert.equal(usable('digitalSignature').length, 1);
    assert.deepEqual(usable('keyEncipherment'), usable('digitalSignature'));
    const root = all.at(-1)!;
    assert.deepEqual(root.subjectDer, root.issuerDer);
    assert.ok(authority.trustPem.includes(derToPem(root.der, 'CERTIFICATE').trim()));
  });

  test('enrolls by a certificate of another subject, in BER, and renews by a PKCSReq that its certificate signs [S]', async () => {
    const device = await ScepDevice.make(authority, 'apple');
    const identity = identityOf(device.key);
    const request = firstRequest(form, device, identity);
    const answer = await post(request.body);
    const { pkiStatus, certificates, text } = await certRepOf(answer, request);
    assert.equal(pkiStatus, 'success', text);
    // [S] What it reads of the attributes is PrintableString, of less than 128 octets.
    const status = signedAttribute(answer.body, scepAttribute.pkiStatus);
    assert.deepEqual([status.tag, status.content.toString()], [0x13, '0']);

    const [certificate, newKey] = [parseCertificate(certificates[0]!), makeKey('rsa-2048')];
    const transactionId = transactionOf(newKey);
    const again = renewalRequest(form, device, { certificate, transactionId }, newKey);
    const renewed = await certRepOf(await post(again.body), again);
    assert.equal(renewed.pkiStatus, 'success', renewed.text);
    assert.deepEqual(parseCertificate(renewed.certificates[0]!).spki, new Uint8Array(newKey.spki));
  });

  test('polls with the same transactionID and temporary certificate, and a new nonce [S]', async () => {
    const device = await ScepDevice.make(authority, 'apple-waits', { approved: false });
    const identity = identityOf(device.key);
    const request = firstRequest(form, device, identity);
    const held = await post(request.body);
    assert.equal((await certRepOf(held, request)).pkiStatus, 'pending');
    // [S] It copies the transactionID out of this answer, and nothing else.
    const { content } = signedAttribute(held.body, scepAttribute.transactionId);
    assert.equal(content.toString(), identity.transactionId);
    const early = pollRequest(form, device, identity);
    assert.equal((await certRepOf(await post(early.body), early)).pkiStatus, 'pending');
    await approve(authority, device.id);
    const late = pollRequest(form, device, identity);
    assert.equal((await certRepOf(await post(late.body), late)).pkiStatus, 'success');
  });

  for (const [at, how, escape] of [
    ['escaped', 'its characters escaped [S]', encodeURIComponent],
    // Of step-ca's handler, which reads the raw query for it.
    ['plain', 'plus and slash as they are [X]', (text: string) => text.replaceAll('=', '%3D')],
  ] as const) {
    test(`sends a message by GET with ${how}`, async () => {
      const device = await ScepDevice.make(authority, `apple-${at}`);
      const request = firstRequest(form, device, identityOf(device.key));
      const message = escape(Buffer.from(request.body).toString('base64'));
      const answer = await send(authority, http, `${operation}PKIOperation&message=${message}`);
      assert.equal((await certRepOf(answer, request)).pkiStatus, 'success');
    });
  }
});

// [S] "using it anyway": 3DES and SHA-1 where it reads neither AES nor SHA-2 among the capabilities. [X] micromdm/scep#81.
describe('the fixture of an Apple that takes 3DES and SHA-1', () => {
  const cleanup = suiteCleanup();
  const old = { ...form, cipher: 'des-ede3-cbc', digest: 'sha1' } as const;

  for (const [what, edit, expected] of [
    ['enrolls where a template names its class', withLegacyAlgorithms, ['success', null]],
    ['is told badAlg where none does', (yaml: string) => yaml, ['failure', '0']],
  ] as const) {
    test(what, async () => {
      const authority = await wireAuthority(cleanup, edit);
      const device = await ScepDevice.make(authority, 'apple-old');
      const request = firstRequest(old, device, identityOf(device.key));
      const answer = await send(authority, http, `${operation}PKIOperation`, request.body);
      const { pkiStatus, failInfo, text } = await certRepOf(answer, request);
      assert.deepEqual([pkiStatus, failInfo], expected, text);
    });
  }
});
