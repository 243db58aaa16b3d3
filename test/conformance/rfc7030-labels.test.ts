import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import {
  anyPorts,
  authorityInProcess,
  initAuthority,
  serveAuthority,
  type TestAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, renewalCsr } from '../harness/csr.ts';
import { base64, est, type EstAnswer, type EstRequest } from '../harness/est-client.ts';
import { TestCa } from '../harness/pki.ts';
import { addIssuer, type IssuerSettings } from '../harness/second-issuer.ts';
import { partsOf } from '../harness/server-made-keys.ts';
import { TestDevice } from '../harness/test-device.ts';

const operations = ['cacerts', 'csrattrs', 'simpleenroll', 'simplereenroll', 'serverkeygen'] as const;
type Operation = (typeof operations)[number];

/** Asks as a device that may have all of it, wherever it is served. */
async function ask(authority: TestAuthority, prefix: string, operation: Operation): Promise<EstAnswer> {
  const request: EstRequest = { url: `${authority.est}/${prefix}${operation}`, trust: authority.trustPem };
  if (operation === 'cacerts' || operation === 'csrattrs') return est(request);
  const id = `laptop-${(devices += 1)}`;
  if (operation === 'simplereenroll') {
    const { certificate, key } = await TestDevice.enrolled(authority, id);
    const client = { certificate: certificate!, key };
    return est({ ...request, client, body: base64(renewalCsr(certificate!, key)) });
  }
  const { key, secret } = await TestDevice.expected(authority, id);
  return est({ ...request, user: [id, secret], body: base64(csrFor(id, key)) });
}
let devices = 0;

describe('RFC 7030 section 3.2.2, labels', () => {
  const cleanup = suiteCleanup();

  describe('beside a default template:', () => {
    let authority: Awaited<ReturnType<typeof authorityInProcess>>;
    before(async () => {
      authority = await authorityInProcess(cleanup, makingKeys);
    });

    for (const operation of operations) {
      test(`${operation} is served with and without a label`, async () => {
        for (const prefix of ['', 'device/']) {
          const answer = await ask(authority, prefix, operation);
          assert.equal(answer.status, 200, `${prefix}: ${answer.text}`);
          if (operation === 'serverkeygen') assert.equal(partsOf(answer).keyType, 'application/pkcs8');
        }
      });

      test(`${operation} under an unknown label is answered 404 in words, whoever asks`, async () => {
        const answer = await ask(authority, 'nothing/', operation);
        assert.equal(answer.status, 404);
        assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
        assert.match(answer.text, /no such label here/);
      });

      test(`${operation} is no label`, async () => {
        const target = { url: `${authority.est}/${operation}/cacerts`, trust: authority.trustPem };
        assert.equal((await est(target)).status, 404);
      });
    }

    test('cacerts is the same with and without a label of one issuer', async () => {
      const [without, withLabel] = [
        await ask(authority, '', 'cacerts'),
        await ask(authority, 'device/', 'cacerts'),
      ];
      assert.equal(without.text, withLabel.text);
    });
  });

  describe('deviation, without a default template:', () => {
    let authority: Awaited<ReturnType<typeof authorityInProcess>>;
    before(async () => {
      authority = await authorityInProcess(cleanup, (yaml) =>
        makingKeys(yaml.replace(/ +defaultTemplate: .*\n/, '')),
      );
    });

    test('cacerts is that of the first template, and with a label every operation is served', async () => {
      assert.equal((await ask(authority, '', 'cacerts')).status, 200);
      for (const operation of operations) {
        assert.equal((await ask(authority, 'device/', operation)).status, 200, operation);
      }
    });

    for (const operation of operations.filter((each) => each !== 'cacerts')) {
      test(`${operation} without a label is answered 404`, async () => {
        assert.equal((await ask(authority, '', operation)).status, 404);
      });
    }
  });

  test('4.1.3: a label of another CA gives the whole path of that CA, and its certificates', async () => {
    const files = await initAuthority(cleanup, anyPorts);
    const root = TestCa.root('Other Root CA');
    const middle = root.intermediate('Other Policy CA');
    const issuing = middle.intermediate('Other Issuing CA');
    await addIssuer(files, 'other', { issuing, above: [middle, root], template: 'server' });
    const authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
    const answer = await ask(authority, 'server/', 'cacerts');
    assert.deepEqual(
      answer.certificates.map(base64),
      [issuing, middle, root].map(({ certificate }) => base64(certificate)),
    );
    assert.equal((await ask(authority, '', 'cacerts')).certificates.length, 2);
    const device = await TestDevice.enrolled(authority, 'server-1', {
      deviceClass: 'server',
      template: 'server',
      identifiers: { dnsName: 'server-1.example.org' },
    });
    const issued = new X509Certificate(device.certificate!);
    assert.ok(issued.verify(new X509Certificate(issuing.certificate).publicKey));
  });
});

/** The default template makes keys, too. */
function makingKeys(yaml: string): string {
  const settings = parse(yaml) as IssuerSettings;
  settings.templates['device']!['serverKeygen'] = 'ec-p256';
  return stringify(settings);
}
