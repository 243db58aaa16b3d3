import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { inPieces } from './ber.ts';
import { ownCertificate } from './own-certificate.ts';
import type { WireForm } from './pki-message.ts';
import { firstRequest } from './requests.ts';
import { certRepOf, type HttpForm, send, wireAuthority } from './wire.ts';

/*
 * ChromeOS, by way of Google's connector, which asks as the SCEP client. Its source is not published. [X] smallstep/certificates#908: a server that took
 * one piece of the content for all of it found another digest; that the content came in pieces is a conclusion, and nobody's observation [K].
 */
const http: HttpForm = { version: '1.1', headers: ['Host: HOST', 'Content-Type: application/x-pki-message'] };

describe('the fixture of ChromeOS', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup);
  });

  for (const octets of [1, 100, 1000]) {
    test(`enrolls with a content in pieces of ${octets} octets, whose digest is that of the whole [K]`, async () => {
      const form: WireForm = { cipher: 'aes-128-cbc', digest: 'sha256', ber: inPieces(octets) };
      const device = await ScepDevice.make(authority, `chromeos-${octets}`);
      const certificate = ownCertificate(device.key, device.id);
      const transactionId = hash('sha256', device.key.spki);
      const request = firstRequest(form, device, { certificate, transactionId });
      const answer = await send(authority, http, '/scep/device?operation=PKIOperation', request.body);
      const { pkiStatus, text } = await certRepOf(answer, request);
      assert.equal(pkiStatus, 'success', text);
    });
  }
});
