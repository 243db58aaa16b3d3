import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { buildName, parseCertificate, parseCertificateList } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf } from '../harness/entries.ts';
import { askHttp, type HttpAnswer } from '../harness/http.ts';
import { issuerAndSerial, issuerAndSubject, selfSigned } from '../harness/scep-client.ts';
import { ScepDevice } from '../harness/scep-device.ts';

const nameOf = (id: string) => buildName([{ type: 'commonName', value: id }]);

describe('SCEP', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml
        .replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000')
        .replace(/^( +)est:\n/m, '$1scep:\n$1  templates: [device]\n$&')
        .replace('  device:\n', '  device:\n    legacyAlgorithms: [printer]\n')
        .replace('  laptop:\n', '  printer:\n    attestation: none\n    templates: [device]\n  laptop:\n'),
    );
  });
  let devices = 0;
  const name = () => `scep-${(devices += 1)}`;
  const newest = async () => (await entriesOf(authority)).at(-1) as unknown as RequestEntry;

  test('enrolls with a one-time secret as challengePassword, and says in the log how the message was protected', async () => {
    const device = await ScepDevice.make(authority, name());
    const answer = await device.enroll({ transactionId: 'transaction-1' });
    assert.equal(answer.pkiStatus, 'success', answer.text);
    assert.equal(answer.certificates.length, 1);
    const certificate = parseCertificate(answer.certificates[0]!);
    assert.deepEqual(new Uint8Array(certificate.spki), new Uint8Array(device.key.spki));
    const { outcome, observations } = await newest();
    assert.equal(outcome, 'issued');
    assert.deepEqual(
      [observations.source.protocol, observations.source.operation, observations.source.listener],
      ['scep', 'PKCSReq', 'scep'],
    );
    const { digest, cipher, keyTransport } = observations.source.message!;
    assert.deepEqual([digest, cipher, keyTransport], ['sha256', 'aes-128-cbc', 'pkcs1']);
  });

  test('gives the same certificate to the same request again, and another senderNonce', async () => {
    const device = await ScepDevice.make(authority, name());
    const first = await device.enroll();
    const again = await device.enroll();
    assert.deepEqual(again.certificates, first.certificates);
    assert.notEqual(again.senderNonce, first.senderNonce);
    assert.equal((await newest()).outcome, 'redelivered');
  });

  for (const [cipher, digest, transport] of [
    ['aes-256-cbc', 'sha512', 'oaep-sha256'],
    ['aes-192-cbc', 'sha384', 'oaep-sha1'],
  ] as const) {
    test(`takes ${cipher}, ${digest} and ${transport}, and answers with them`, async () => {
      const device = await ScepDevice.make(authority, name());
      const answer = await device.enroll({ cipher, digest, transport });
      assert.equal(answer.pkiStatus, 'success', answer.text);
    });
  }

  test('refuses SHA-1 and 3DES, but from a class that the template names', async () => {
    for (const weak of [{ digest: 'sha1' }, { cipher: 'des-ede3-cbc' }] as const) {
      const device = await ScepDevice.make(authority, name());
      const refused = await device.enroll(weak);
      assert.deepEqual([refused.pkiStatus, refused.failInfo], ['failure', '0'], refused.text);
      const { outcome, verdict } = await newest();
      assert.deepEqual(
        [outcome, verdict.objections.map(({ control }) => control)],
        ['refused', ['segment-tls-floor']],
      );
      const printer = await ScepDevice.make(authority, name(), { deviceClass: 'printer' });
      const answer = await printer.enroll(weak);
      assert.equal(answer.pkiStatus, 'success', answer.text);
    }
    const caps = (await askHttp(`${authority.scep}/device?operation=GetCACaps`)).text;
    assert.deepEqual(caps.trim().split('\n').slice(-2), ['SHA-1', 'DES3']);
    const strict = (await askHttp(`${authority.scep}/server?operation=GetCACaps`)).text;
    assert.doesNotMatch(strict, /SHA-1$|DES/m);
  });

  test('holds what nobody approved, and gives the certificate to the poll of the same key and transaction', async () => {
    const device = await ScepDevice.make(authority, name(), { approved: false });
    const held = await device.enroll({ transactionId: 'poll-1' });
    assert.equal(held.pkiStatus, 'pending', held.text);
    const content = issuerAndSubject(device.client.cas[0]!, nameOf(device.id));
    const poll = (transactionId: string, key = device.key) =>
      device.client.ask({
        messageType: '20',
        content,
        key,
        signer: selfSigned(key, nameOf(device.id)),
        transactionId,
      });
    assert.equal((await poll('poll-1')).pkiStatus, 'pending');
    assert.equal((await poll('poll-2')).failInfo, '2');
    assert.equal((await poll('poll-1', makeKey('rsa-2048'))).failInfo, '2');
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const request = items.find((each) => each.device === device.id)!;
    await authority.admin.client.perform('approveRequest', { id: request.id });
    const issued = await poll('poll-1');
    assert.equal(issued.pkiStatus, 'success', issued.text);
    const [certificate] = issued.certificates;
    assert.deepEqual(new Uint8Array(parseCertificate(certificate!).spki), new Uint8Array(device.key.spki));
    // The answer may be lost on its way.
    assert.deepEqual((await poll('poll-1')).certificates, issued.certificates);
    assert.deepEqual((await device.enroll()).certificates, issued.certificates);
  });

  test('tells a poll of a request that was denied so', async () => {
    const device = await ScepDevice.make(authority, name(), { approved: false });
    await device.enroll({ transactionId: 'denied' });
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const request = items.find((each) => each.device === device.id)!;
    await authority.admin.client.perform('denyRequest', { id: request.id });
    const content = issuerAndSubject(device.client.cas[0]!, nameOf(device.id));
    const signer = selfSigned(device.key, nameOf(device.id));
    const answer = await device.client.ask({
      messageType: '20',
      content,
      key: device.key,
      signer,
      transactionId: 'denied',
    });
    assert.equal(answer.pkiStatus, 'failure', answer.text);
  });

  for (const messageType of ['17', '19']) {
    test(`renews with the certificate that signed, in a message of type ${messageType}, for the same key and for another`, async () => {
      const device = await ScepDevice.enrolled(authority, name());
      const first = device.certificate!;
      const same = await device.renew({ messageType });
      assert.equal(same.pkiStatus, 'success', same.text);
      assert.notDeepEqual(device.certificate!.der, first.der);
      const key = makeKey('rsa-2048');
      const other = await device.renew({ messageType }, key);
      assert.equal(other.pkiStatus, 'success', other.text);
      const { action, certificate } = await newest();
      assert.equal(action, 'renew');
      assert.notEqual(certificate!.predecessor, null);
    });
  }

  test('is at any path: the template behind /scep/, and the default one elsewhere', async () => {
    const base = authority.scep.replace('/scep', '');
    const paths = [
      '/scep/device',
      '/scep/device/pkiclient.exe',
      '/scep',
      '/',
      '/cgi-bin/pkiclient.exe',
      '/certsrv/mscep/mscep.dll/pkiclient.exe',
    ];
    for (const path of paths) {
      const answer = await askHttp(`${base}${path}?operation=GetCACaps&message=default`);
      assert.equal(answer.status, 200, path);
      assert.equal((await newest()).observations.source.template, 'device', path);
    }
    await askHttp(`${base}/scep/server/x?operation=GetCACaps`);
    assert.equal((await newest()).observations.source.template, 'server');
  });

  test('takes a message by GET, and by POST with any Content-Type or none and without an operation', async () => {
    const device = await ScepDevice.make(authority, name());
    const content = csrFor(device.id, device.key, { challengePassword: device.secret });
    const message = await device.client.build({ content, key: device.key });
    const first = await device.client.get(message);
    assert.equal(first.pkiStatus, 'success', first.text);
    for (const type of ['application/x-pki-message', 'application/octet-stream', '']) {
      const again = await device.client.post(message, { 'Content-Type': type });
      assert.deepEqual(again.certificates, first.certificates);
    }
    const bare = await askHttp(device.client.url, { method: 'POST', body: message.body });
    assert.equal(bare.type, 'application/x-pki-message');
  });

  test('says by the status of HTTP what is no SCEP, with an entry of its own', async () => {
    const at = (query: string, more: Parameters<typeof askHttp>[1] = {}) =>
      askHttp(`${authority.scep}/device${query}`, more);
    const cases: [HttpAnswer, number, RegExp][] = [
      [await at(''), 400, /no operation of SCEP/],
      [await at('?operation=getcacaps'), 400, /no operation/],
      [await at('?operation=GetCACaps&operation=GetCACert'), 400, /twice/],
      [await at('?operation=GetNextCACert'), 501, /not offered/],
      [await at('?operation=PKIOperation'), 400, /no message/],
      [await at('?operation=PKIOperation&message=%%%'), 400, /percent/],
      [await at('?operation=PKIOperation&message=AAAA'), 400, /./],
      [await at('?operation=PKIOperation', { method: 'POST', body: Buffer.alloc(70_000) }), 413, /longer/],
      [await at('?operation=PKIOperation', { method: 'PUT', body: Buffer.from('x') }), 405, /GET or POST/],
    ];
    for (const [answer, status, words] of cases) {
      const { text } = answer;
      assert.deepEqual([answer.status, words.test(text)], [status, true], `${answer.status} ${text}`);
      const { entry } = await authority.admin.entry(/R(?:-[0-9A-Z]{4}){4}/.exec(text)![0]);
      assert.equal((entry as unknown as RequestEntry).outcome, 'malformed');
    }
  });

  test('gives a certificate by its serial number, and the CRL, to who has one', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const revoked = await ScepDevice.enrolled(authority, name());
    const { serialNumber } = revoked.certificate!;
    const [issuing, root] = device.client.cas;
    const ask = (messageType: string, content: Uint8Array, signer = device.certificate!) =>
      device.client.ask({ messageType, content, key: device.key, signer });
    const found = await ask('21', issuerAndSerial(issuing!, serialNumber));
    assert.deepEqual(found.certificates[0], revoked.certificate!.der);
    const { items } = await authority.admin.client.perform('listCertificates', { device: revoked.id });
    await authority.admin.client.perform('revokeCertificate', { id: items[0]!.sha256, reason: 'superseded' });
    const { crl } = await ask('22', issuerAndSerial(issuing!, serialNumber));
    assert.ok(parseCertificateList(crl!).revoked.some((each) => each.serialNumber === serialNumber));
    assert.deepEqual(
      [(await newest()).outcome, (await newest()).observations.source.operation],
      ['answered', 'GetCRL'],
    );
    const selfMade = selfSigned(device.key, nameOf(device.id));
    for (const [type, content, signer] of [
      ['21', issuerAndSerial(issuing!, '0123'), device.certificate!],
      ['21', issuerAndSerial(root!, serialNumber), device.certificate!],
      ['21', issuerAndSerial(issuing!, serialNumber), selfMade],
      ['22', issuerAndSerial(issuing!, serialNumber), selfMade],
    ] as const) {
      const answer = await ask(type, content, signer);
      assert.deepEqual([answer.pkiStatus, answer.failInfo], ['failure', '4'], answer.text);
    }
  });

  for (const [messageType, weak] of [
    ['21', { digest: 'sha1' }],
    ['21', { cipher: 'des-ede3-cbc' }],
    ['22', { digest: 'sha1' }],
    ['22', { cipher: 'des-ede3-cbc' }],
  ] as const) {
    test(`looks up nothing (${messageType}) with ${Object.values(weak)[0]}, not even for a class that the template names`, async () => {
      const device = await ScepDevice.make(authority, name(), { deviceClass: 'printer' });
      assert.equal((await device.enroll(weak)).pkiStatus, 'success');
      const signer = device.certificate!;
      const content = issuerAndSerial(device.client.cas[0]!, signer.serialNumber);
      const asked = { messageType, content, key: device.key, signer };
      const answer = await device.client.ask({ ...asked, ...weak });
      assert.deepEqual([answer.pkiStatus, answer.failInfo], ['failure', '0'], answer.text);
      assert.equal((await device.client.ask(asked)).pkiStatus, 'success');
    });
  }

  test('is served over TLS too, beside EST', async () => {
    const { url } = authority.running.listeners.find((listener) => listener.name === 'enroll')!;
    const { text } = await askHttp(`${url}/scep/device?operation=GetCACaps`, {
      tls: { ca: authority.trustPem },
    });
    assert.match(text, /^AES\n[\s\S]*SCEPStandard\n/);
  });
});
