import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import {
  der,
  extendedKeyUsages,
  parseBase64Certificate,
  permanentIdentifierOf,
  readDer,
  subjectPublicKeyInfoOf,
} from '#x509';
import { ActivationClient, activatingAuthority } from '../harness/activating-authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import {
  type AttestMembers,
  EndorsedTpm,
  plainSigning,
  type PlayedKey,
  software,
} from '../harness/endorsed-tpm.ts';
import { entriesOf } from '../harness/entries.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import type { HttpAnswer } from '../harness/http.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestCa } from '../harness/pki.ts';

/** Who asks by this protocol presents nothing but keys: what is issued in vain lets a software key attest whatever its holder makes up. */
describe('certificates of attestation keys', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Maker of TPMs');
  const maker = root.intermediate('Maker of TPMs, 1');
  let authority: Awaited<ReturnType<typeof activatingAuthority>>;
  let client: ActivationClient;
  const secrets: Buffer[] = [];
  before(async () => {
    authority = await activatingAuthority(cleanup, root.pem);
    client = new ActivationClient(authority);
  });

  const device = async (id: string, tpm: EndorsedTpm, deviceClass = 'attested-laptop') =>
    authority.admin.device(id, { deviceClass, identifiers: { ekSha256: tpm.ekSha256 } });
  /** A device of the inventory, and its TPM. */
  const known = async (id: string, deviceClass?: string) => {
    const tpm = new EndorsedTpm(maker);
    await device(id, tpm, deviceClass);
    return tpm;
  };
  /** What the TPM recovers of the answer to the first message. */
  const challenged = async (tpm: EndorsedTpm, key: PlayedKey, changed: Partial<AttestMembers> = {}) => {
    const answer = await client.attest(tpm, key, changed);
    assert.equal(answer.status, 200, answer.text);
    const secret = tpm.activate(key, JSON.parse(answer.text) as { credential: string; secret: string });
    secrets.push(secret);
    return secret;
  };
  const chainOf = ({ status, text }: HttpAnswer) => {
    assert.equal(status, 200, text);
    const { chain } = JSON.parse(text) as { chain: string[] };
    return chain.map(parseBase64Certificate);
  };
  const rejected = async (answer: HttpAnswer, words: RegExp) => {
    assert.equal(answer.status, 403);
    assert.match(answer.text, /^This TPM is not accepted here\. Support code R[-0-9A-Z]+\.\n$/);
    const entry = await entryOf(authority, answer);
    assert.equal(entry.outcome, 'rejected');
    assert.match(String(entry.detail?.['problem']), words);
  };
  const refused = async (answer: HttpAnswer, control: string, words: RegExp) => {
    assert.equal(answer.status, 403);
    const entry = await entryOf(authority, answer);
    assert.equal(entry.outcome, 'refused');
    assert.match(entry.facts.reasons[control] ?? '', words);
  };

  for (const kind of ['ec-p256', 'rsa-2048'] as const) {
    test(`the TPM of a device gets one, with an endorsement key of ${kind}`, async () => {
      const tpm = new EndorsedTpm(maker, { kind });
      const id = `good-${kind}`;
      await device(id, tpm);
      const key = tpm.createKey();
      const [certificate, issuing, ...above] = chainOf(await client.secret(await challenged(tpm, key)));
      assert.deepEqual(above, []);
      assert.deepEqual(Buffer.from(certificate!.spki), Buffer.from(key.key.spki));
      assert.deepEqual(certificate!.issuerDer, issuing!.subjectDer);
      assert.deepEqual(certificate!.extendedKeyUsage, [extendedKeyUsages.tcgAttestationIdentityKey]);
      assert.deepEqual(certificate!.subject, []);
      assert.deepEqual(permanentIdentifierOf(certificate!.subjectAltName), { value: id, assigner: null });
      const { subjectAltName } = certificate!;
      const directory = subjectAltName.flatMap((name) => (name.kind === 'directoryName' ? [name.value] : []));
      assert.deepEqual(
        directory[0]!
          .flat()
          .map(({ value }) => value)
          .toSorted(),
        ['ST33', 'id:00010203', 'id:53544D20'],
      );
      const digest = createHash('sha256').update(tpm.key.spki).digest('base64');
      assert.deepEqual(
        subjectAltName.filter(({ kind: each }) => each === 'uri'),
        [{ kind: 'uri', value: `urn:ek:sha256:${digest}` }],
      );
      const { items } = await authority.admin.client.perform('listCertificates', { device: id });
      assert.equal(items.length, 1);
    });
  }

  test('an endorsement key that its maker certified under id-RSAES-OAEP is the one of the inventory', async () => {
    const key = makeKey('rsa-2048');
    const { publicKey } = subjectPublicKeyInfoOf(readDer(key.spki));
    const oaep = der.sequence(der.oid('1.2.840.113549.1.1.7'), der.sequence());
    const spki = der.sequence(oaep, der.bitString(publicKey));
    const tpm = new EndorsedTpm(maker, { kind: 'rsa-2048', key, spki });
    await device('oaep', tpm);
    const [certificate] = chainOf(await client.secret(await challenged(tpm, tpm.createKey())));
    assert.equal(permanentIdentifierOf(certificate!.subjectAltName)?.value, 'oaep');
  });

  test('the same key again gets another one, and another key waits for an operator', async () => {
    const tpm = await known('again');
    const key = tpm.createKey();
    const [first] = chainOf(await client.secret(await challenged(tpm, key)));
    const [second] = chainOf(await client.secret(await challenged(tpm, key)));
    assert.notEqual(first!.serialNumber, second!.serialNumber);
    const other = tpm.createKey();
    const waiting = await client.secret(await challenged(tpm, other));
    assert.equal(waiting.status, 503);
    assert.equal((await entryOf(authority, waiting)).outcome, 'held');
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    const [approved] = chainOf(await client.secret(await challenged(tpm, other)));
    assert.deepEqual(Buffer.from(approved!.spki), Buffer.from(other.key.spki));
  });

  test('no more of them than the limit of the device', async () => {
    const tpm = await known('often');
    const key = tpm.createKey();
    for (let times = 0; times < 5; times += 1) chainOf(await client.secret(await challenged(tpm, key)));
    const answer = await client.secret(await challenged(tpm, key));
    assert.equal(answer.status, 429, answer.text);
    const { verdict } = await entryOf(authority, answer);
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['rate-device'],
    );
  });

  test('a secret counts once, of two at once for one', async () => {
    const tpm = await known('once');
    const secret = await challenged(tpm, tpm.createKey());
    const answers = await Promise.all([client.secret(secret), client.secret(secret)]);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 403],
    );
    await rejected(
      answers.find(({ status }) => status === 403)!,
      /or it came before/,
    );
    await rejected(await client.secret(secret), /or it came before/);
  });

  test('a secret that was never given out, and one that is cut short', async () => {
    const tpm = await known('guess');
    const secret = await challenged(tpm, tpm.createKey());
    await rejected(await client.secret(Buffer.alloc(32)), /nothing was given out/);
    await rejected(await client.secret(secret.subarray(0, 31)), /nothing was given out/);
    chainOf(await client.secret(secret));
  });

  test('a secret that comes late', async () => {
    const tpm = await known('late');
    const secret = await challenged(tpm, tpm.createKey());
    authority.advance(60_000);
    await refused(await client.secret(secret), 'attestation-fresh', /does not hold the nonce/);
  });

  test('the secret of one key certifies no other: what was fixed first counts', async () => {
    const [tpm, other] = [await known('fixed'), await known('fixed-too')];
    const [key, theirs] = [tpm.createKey(), other.createKey()];
    const secret = await challenged(tpm, key);
    await challenged(other, theirs);
    const [certificate] = chainOf(await client.secret(secret));
    assert.deepEqual(Buffer.from(certificate!.spki), Buffer.from(key.key.spki));
    assert.equal(permanentIdentifierOf(certificate!.subjectAltName)?.value, 'fixed');
  });

  test('another TPM cannot open the challenge, and this one only with the key that it is for', async () => {
    const tpm = await known('opens');
    const key = tpm.createKey();
    const { text } = await client.attest(tpm, key);
    const challenge = JSON.parse(text) as { credential: string; secret: string };
    assert.throws(() => new EndorsedTpm(maker).activate(key, challenge), /TPM_RC_INTEGRITY/);
    assert.throws(() => tpm.activate(tpm.createKey(), challenge), /TPM_RC_INTEGRITY/);
    assert.equal(tpm.activate(key, challenge).length, 32);
  });

  test('an endorsement key of no device', async () => {
    const tpm = new EndorsedTpm(maker);
    await rejected(
      await client.attest(tpm, tpm.createKey()),
      new RegExp(`no device of the inventory has the ekSha256 ${tpm.ekSha256}`),
    );
  });

  test('an endorsement key of two devices is refused by the inventory', async () => {
    const tpm = await known('first');
    await assert.rejects(device('second', tpm), /endorsement key .* is that of device first already/);
  });

  test('a device whose endorsement key was changed meanwhile', async () => {
    const tpm = await known('moved');
    const secret = await challenged(tpm, tpm.createKey());
    await device('moved', new EndorsedTpm(maker));
    await refused(await client.secret(secret), 'attestation-device', /and ekSha256 of device moved is/);
  });

  test('a device that was suspended meanwhile', async () => {
    const tpm = await known('asleep');
    const secret = await challenged(tpm, tpm.createKey());
    await authority.admin.client.perform('suspendDevice', { id: 'asleep', remark: 'lost' });
    await refused(await client.secret(secret), 'device-state', /device asleep is suspended/);
  });

  test('a class that believes no endorsement keys', async () => {
    const tpm = await known('plain', 'laptop');
    await rejected(await client.attest(tpm, tpm.createKey()), /nothing is proven|prove nothing by evidence/);
  });

  test('a maker that is not believed, also with the certificate of one that is', async () => {
    const forger = TestCa.root('Maker of TPMs').intermediate('Maker of TPMs, 1');
    const tpm = new EndorsedTpm(forger);
    await device('forged', tpm);
    const key = tpm.createKey();
    await rejected(await client.attest(tpm, key), /certification-path/);
    const ekCerts = [tpm.certificate, maker.certificate].map((each) => Buffer.from(each).toString('base64'));
    await rejected(await client.attest(tpm, key, { ekCerts }), /certification-path/);
  });

  test('the certificate of another endorsement key, and none', async () => {
    const tpm = await known('other-certificate');
    const [own] = new EndorsedTpm(maker).attest(tpm.createKey()).ekCerts;
    const key = tpm.createKey();
    for (const ekCerts of [[own!], []]) {
      await rejected(await client.attest(tpm, key, { ekCerts }), /^ek-certificate: /);
    }
  });

  test('certificates that cannot be read are passed over, and the log says how many', async () => {
    const tpm = await known('unread');
    const key = tpm.createKey();
    const [own, ...above] = tpm.attest(key).ekCerts;
    const [another] = new EndorsedTpm(maker).attest(key).ekCerts;
    const none = /^ek-certificate: none .* is its own; 1 of 2 certificates cannot be read$/;
    await rejected(await client.attest(tpm, key, { ekCerts: ['AA==', another!] }), none);
    const secret = await challenged(tpm, key, { ekCerts: ['AA==', own!, ...above] });
    chainOf(await client.secret(secret));
  });

  test('of two certificates of one endorsement key either will do', async () => {
    const tpm = await known('two-makers');
    const key = tpm.createKey();
    const ofOthers = [
      new EndorsedTpm(TestCa.root('Other maker'), { key: tpm.key }),
      new EndorsedTpm(maker, { key: tpm.key, extendedKeyUsage: ['tcgAttestationIdentityKey'] }),
    ].map((other) => other.attest(key).ekCerts[0]!);
    const { ekCerts } = tpm.attest(key);
    for (const other of ofOthers) {
      for (const sent of [
        [other, ...ekCerts],
        [...ekCerts, other],
      ]) {
        chainOf(await client.secret(await challenged(tpm, key, { ekCerts: sent })));
      }
    }
    const [unknown, unfit] = ofOthers;
    await rejected(await client.attest(tpm, key, { ekCerts: [unfit!, unknown!] }), /certification-path/);
    await rejected(await client.attest(tpm, key, { ekCerts: [unfit!] }), /^ek-certificate-usage/);
  });

  test('a certificate that is for something else, or has ended', async () => {
    for (const [settings, words] of [
      [{ extendedKeyUsage: ['tcgAttestationIdentityKey'] }, /^ek-certificate-usage/],
      [{ notAfter: Date.now() - 1000, notBefore: Date.now() - 86_400_000 }, /certificate-validity/],
      [{ subjectAltName: [{ kind: 'dns', value: 'tpm.example' }] }, /ek-certificate-san/],
    ] as const) {
      const tpm = new EndorsedTpm(maker, settings);
      await device(`certified-${words.source.replaceAll(/[^a-z-]/g, '')}`, tpm);
      await rejected(await client.attest(tpm, tpm.createKey()), words);
    }
  });

  test('a software TPM, but in a class that says so', async () => {
    const tpm = new EndorsedTpm(maker, { subjectAltName: [software] });
    await device('soft', tpm);
    await rejected(await client.attest(tpm, tpm.createKey()), /tpm-unregistered/);
    await device('soft', tpm, 'virtual');
    chainOf(await client.secret(await challenged(tpm, tpm.createKey())));
  });

  test('a key that signs anything, and one that could leave its TPM', async () => {
    const tpm = await known('attributes');
    await rejected(await client.attest(tpm, tpm.createKey(plainSigning)), /^ak-restricted/);
    await rejected(await client.attest(tpm, tpm.createKey(0x0005_0070)), /^ak-fixed-tpm/);
  });

  test('a creation that is of another key', async () => {
    const tpm = await known('creation');
    const { params } = tpm.attest(tpm.createKey());
    const { publicArea } = tpm.createKey();
    const changed = { params: { ...params, public: publicArea.toString('base64') } };
    await rejected(await client.attest(tpm, tpm.createKey(), changed), /^ak-creation-signature/);
  });

  test('messages that do not parse, and addresses where nothing is', async () => {
    const tpm = await known('malformed');
    const message = tpm.attest(tpm.createKey());
    for (const [operation, wrong, status, words] of [
      ['attest', '{', 400, /no JSON/],
      ['attest', '[]', 400, /no JSON object/],
      ['attest', {}, 400, /params is no object/],
      ['attest', { ...message, ek: 'a' }, 400, /ek is no base64/],
      ['attest', { ...message, ek: undefined }, 400, /ek is missing/],
      ['attest', { ...message, ekCerts: 'x' }, 400, /ekCerts must be a list/],
      ['attest', { ...message, ekCerts: Array.from({ length: 5 }, () => 'AA==') }, 400, /ekCerts/],
      ['attest', { ...message, params: { ...message.params, createData: undefined } }, 400, /createData/],
      ['attest', { ...message, params: { ...message.params, useTCSDActivationFormat: true } }, 400, /TPM 1/],
      ['attest', { ...message, padding: 'x'.repeat(70_000) }, 413, /longer/],
      ['secret', {}, 400, /secret is missing/],
      ['secret', { secret: '' }, 400, /secret is missing/],
      ['other', {}, 404, /nothing at this address/],
    ] as const) {
      const answer = await client.post(operation, wrong);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, words);
    }
    const elsewhere = new ActivationClient(authority, 'device');
    assert.equal((await elsewhere.attest(tpm, tpm.createKey())).status, 404);
  });

  test('whoever asks by GET is told that each message takes POST', async () => {
    for (const operation of ['attest', 'secret']) {
      const { status, headers, text } = await client.get(operation);
      assert.deepEqual([status, headers['allow']], [405, 'POST'], text);
    }
  });

  test('the log verifies, and holds no secret', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
    const log = JSON.stringify(await entriesOf(authority));
    assert.ok(secrets.length > 10 && log.includes('attestation-fresh'));
    for (const secret of secrets) {
      for (const form of ['base64', 'hex'] as const) assert.ok(!log.includes(secret.toString(form)));
    }
  });
});
