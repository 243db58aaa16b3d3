import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parseCertsOnly } from '#cms';
import {
  der,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeSubjectAltName,
  type Extension,
  extendedKeyUsages,
  extensionOids,
  oids,
  parseCertificate,
  pemToDer,
  type RequestAttribute,
} from '#x509';
import type { ServedAuthority } from '../../harness/authority.ts';
import { suiteCleanup } from '../../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey } from '../../harness/csr.ts';
import { ScepDevice } from '../../harness/scep-device.ts';
import { element } from './ber.ts';
import { ownCertificate } from './own-certificate.ts';
import { pkiMessage, type WireForm } from './pki-message.ts';
import { challenge, firstRequest, type WireIdentity } from './requests.ts';
import { approve, certRepOf, type HttpForm, send, wireAuthority } from './wire.ts';

/*
 * The SCEP of Windows (certreq, CertEnroll, the CSP ClientCertificateInstall), and Intune's of it. Its source is not published, and no recording was
 * at hand: [X] is what others say, [K] what nobody here has seen proof of.
 */

/** [K] Names itself as NDES' client. */
const http: HttpForm = {
  version: '1.1',
  headers: [
    'Content-Type: application/x-pki-message',
    'User-Agent: Mozilla/4.0 (compatible; Win32; NDES client 10.0.26100.1/ge_release)',
    'Host: HOST',
    'Connection: Keep-Alive',
    'Cache-Control: no-cache',
  ],
};

/** [X] micromdm/scep#108: an address of NDES, whoever answers. */
const base = '/certsrv/mscep/mscep.dll/pkiclient.exe';
/** [X] ultimate-ca-manager#228: the key goes by what a server without OAEP does not know. */
const form: WireForm = { cipher: 'aes-256-cbc', digest: 'sha256', oaep: true };

const bmpString = (text: string) => element(0x1e, Buffer.from(text, 'utf16le').swap16());

/** [K] As MS-WCCE sections 2.2.2.7.1 to 2.2.2.7.4 write them. */
const microsoftAttributes: readonly RequestAttribute[] = [
  { oid: '1.3.6.1.4.1.311.13.2.3', values: [der.ia5String('10.0.26100.2')] },
  {
    oid: '1.3.6.1.4.1.311.21.20',
    values: [
      der.sequence(
        der.integer(5),
        der.utf8String('desktop-7.example.org'),
        der.utf8String('EXAMPLE\\ada'),
        der.utf8String('dmcertinst.exe'),
      ),
    ],
  },
  {
    oid: '1.3.6.1.4.1.311.13.2.2',
    values: [
      der.sequence(
        der.integer(1),
        bmpString('Microsoft Platform Crypto Provider'),
        der.bitString(new Uint8Array()),
      ),
    ],
  },
];

/** [X] microsoft/Intune-Resource-Access#162: how long it is to be valid, which decides nothing here. */
const validityPeriod: RequestAttribute = {
  oid: '1.3.6.1.4.1.311.13.2.1',
  values: [
    der.sequence(bmpString('ValidityPeriod'), bmpString('Years')),
    der.sequence(bmpString('ValidityPeriodUnits'), bmpString('25')),
  ],
};

const usages: readonly Extension[] = [
  { oid: extensionOids.keyUsage, critical: true, value: encodeKeyUsage(['digitalSignature']) },
  {
    oid: extensionOids.extendedKeyUsage,
    critical: false,
    value: encodeExtendedKeyUsage([extendedKeyUsages.clientAuth]),
  },
];

/** [K] A digest of the key in hexadecimal. */
function identityOf(key: ClientKey, id: string): WireIdentity {
  return { certificate: ownCertificate(key, id), transactionId: hash('sha1', key.spki).toUpperCase() };
}

describe('the fixture of Windows', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup);
  });
  const post = (body: Uint8Array) => send(authority, http, `${base}?operation=PKIOperation`, body);

  test('asks with the message `default`, and finds the CA by its thumbprint [X]', async () => {
    const caps = await send(authority, http, `${base}?operation=GetCACaps&message=default`);
    assert.match(caps.body.toString(), /^AES$/m);
    const answer = await send(authority, http, `${base}?operation=GetCACert&message=default`);
    const thumbprints = parseCertsOnly(answer.body).map((each) => hash('sha1', each));
    for (const ca of pemToDer(authority.trustPem, 'CERTIFICATE')) {
      assert.ok(thumbprints.includes(hash('sha1', ca)));
    }
  });

  test('enrolls with its own attributes in the request, and its key by OAEP [X]', async () => {
    const device = await ScepDevice.make(authority, 'windows');
    const identity = identityOf(device.key, device.id);
    const more = { attributes: microsoftAttributes, extensions: usages };
    const request = firstRequest(form, device, identity, more);
    const { pkiStatus, certificates, text } = await certRepOf(await post(request.body), request);
    assert.equal(pkiStatus, 'success', text);
    assert.equal(certificates.length, 1);
  });

  // szOID_ENROLL_CERTTYPE: the name of a template of AD CS, of which ours has none.
  test('is told so when it asks by name for another template than the one that the address means [K]', async () => {
    const device = await ScepDevice.make(authority, 'windows-template');
    const named = { oid: oids.msTemplateName, critical: false, value: bmpString('WorkstationWiFi') };
    const request = firstRequest(form, device, identityOf(device.key, device.id), { extensions: [named] });
    const { failInfo, text } = await certRepOf(await post(request.body), request);
    assert.equal(failInfo, '2');
    assert.match(text, /extension that is not given here/);
  });

  // [X] Fleet does not support its renewals, and Intune pushes a new secret: RFC 8894 section 2.3 has both as a PKCSReq of a new key.
  test('gets its next certificate by a new secret for a new key [X]', async () => {
    const device = await ScepDevice.enrolled(authority, 'windows-again');
    const [secret, key] = [await authority.admin.secret(device.id), makeKey('rsa-2048')];
    const identity = identityOf(key, device.id);
    const content = csrFor(device.id, key, { attributes: [challenge(secret)] });
    const signer = { certificate: identity.certificate, key };
    const message = { messageType: '19', transactionId: identity.transactionId, content, signer } as const;
    const request = pkiMessage(form, message, device.client.ra);
    // An approval is good for one certificate.
    assert.equal((await certRepOf(await post(request.body), request)).pkiStatus, 'pending');
    await approve(authority, device.id);
    assert.equal((await certRepOf(await post(request.body), request)).pkiStatus, 'success');
  });
});

describe('the fixture of Windows under Intune', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await wireAuthority(cleanup, (yaml) =>
      yaml.replace(/^( +)scep:\n(?= +templates)/m, '$&$1  caCertificates: issuer\n'),
    );
  });
  const post = (body: Uint8Array) => send(authority, http, `${base}?operation=PKIOperation`, body);

  // Vault's notes of its `restrict_ca_chain_to_issuer`.
  test('is given no CA but the one that issues, where that is configured [X]', async () => {
    const answer = await send(authority, http, `${base}?operation=GetCACert&message=default`);
    const cas = parseCertsOnly(answer.body)
      .map((each) => parseCertificate(each))
      .filter(({ isCa }) => isCa);
    assert.deepEqual(
      cas.map(({ der }) => der),
      [pemToDer(authority.trustPem, 'CERTIFICATE')[1]],
    );
  });

  test('enrolls, and how long its certificate is valid is not what it asks for [X]', async () => {
    const device = await ScepDevice.make(authority, 'intune');
    const attributes = [...microsoftAttributes, validityPeriod];
    const request = firstRequest(form, device, identityOf(device.key, device.id), { attributes });
    const { pkiStatus, certificates, text } = await certRepOf(await post(request.body), request);
    assert.equal(pkiStatus, 'success', text);
    const { notBefore, notAfter } = parseCertificate(certificates[0]!);
    assert.ok(notAfter - notBefore < 366 * 86_400_000);
  });

  // The Windows account that the certificate would sign in to is nothing that a device says of itself.
  test('is refused the SID that it asks for in a URI [X]', async () => {
    const device = await ScepDevice.make(authority, 'intune-sid');
    const value = 'tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105';
    const names = encodeSubjectAltName([{ kind: 'uri', value }]);
    const sid = { oid: extensionOids.subjectAltName, critical: false, value: names };
    const request = firstRequest(form, device, identityOf(device.key, device.id), { extensions: [sid] });
    const { failInfo, text } = await certRepOf(await post(request.body), request);
    assert.equal(failInfo, '2', text);
  });
});
