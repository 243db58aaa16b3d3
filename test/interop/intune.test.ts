import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { parseCertificate } from '#x509';
import { anyPorts, initAuthority, serveAuthority, type ServedAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { OtherSystem, type Question, type Reply } from '../harness/other-system.ts';
import { ScepClient } from '../harness/scep-client.ts';

// An imitation of Microsoft's services, after the contract in their open library (microsoft/Intune-Resource-Access, src/CsrValidation/csharp at
// 0460d7f) and the form of Graph's answer as other clients of it read it. The services themselves were not asked.

const tenant = 'contoso.example';
const clientId = '11111111-2222-3333-4444-555555555555';
const clientSecret = 'client-secret-of-the-application';
const challenge = 'an-encrypted-challenge-of-intune';
const application = '0000000a-0000-0000-c000-000000000000';

/** Every code of IntuneScepServiceException.ErrorCode but Success. */
const refusals = [
  'Unknown',
  'CertificateRequestDecodingFailed',
  'ChallengePasswordMissing',
  'ChallengeDeserializationError',
  'ChallengeDecryptionError',
  'ChallengeDecodingError',
  'ChallengeInvalidTimestamp',
  'ChallengeExpired',
  'SubjectNameMissing',
  'SubjectNameMismatch',
  'SubjectAltNameMissing',
  'SubjectAltNameMismatch',
  'KeyUsageMismatch',
  'KeyLengthMismatch',
  'EnhancedKeyUsageMissing',
  'EnhancedKeyUsageMismatch',
  'AadKeyIdentifierListMissing',
  'RegisteredKeyMismatch',
  'SigningCertThumbprintMismatch',
  'ScepProfileNoLongerTargetedToTheClient',
  'SignatureValidationFailed',
  'BadCertificateRequestIdInChallenge',
  'BadDeviceIdInChallenge',
  'BadUserIdInChallenge',
];

const success: Reply = { body: { code: 'Success', errorDescription: '' } };

/** What each part answers; a test puts another in its place. */
class Imitation {
  token: () => Reply = () => ({ body: { token_type: 'Bearer', expires_in: 3599, access_token: 'token-1' } });
  endpoints: () => Reply;
  validate: () => Reply | 'hang' = () => success;
  succeeded: () => Reply | 'hang' = () => success;
  failed: () => Reply | 'hang' = () => success;

  constructor(url: () => string) {
    this.endpoints = () => ({
      body: {
        value: [
          { capability: 'Other', providerName: 'PkiConnectorFEService', uri: `${url()}/other` },
          {
            capability: 'ScepRequestValidationFEService',
            providerName: 'ScepRequestValidationFEService',
            uri: `${url()}/StatelessScep`,
          },
        ],
      },
    });
  }

  answer({ path: target }: Question): Reply | 'hang' {
    const parts: Readonly<Record<string, () => Reply | 'hang'>> = {
      [`/${tenant}/oauth2/v2.0/token`]: this.token,
      [`/v1.0/servicePrincipals/appId=${application}/endpoints`]: this.endpoints,
      '/StatelessScep/ScepActions/validateRequest': this.validate,
      '/StatelessScep/ScepActions/successNotification': this.succeeded,
      '/StatelessScep/ScepActions/failureNotification': this.failed,
    };
    return parts[target]?.() ?? { status: 404 };
  }
}

describe('Intune (an imitation)', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  let system: OtherSystem;
  let services: Imitation;
  before(async () => {
    system = await OtherSystem.start(cleanup, (question) => services.answer(question));
    const { url, caFile } = system;
    const files = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml)
        .replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000')
        .replace(
          '    authentication: [secret]\n',
          '    authentication: [workflow]\n    workflows: [intune]\n',
        )
        .replace(
          /^secrets:$/m,
          `workflows:
  intune:
    kind: intune
    tenant: ${tenant}
    clientId: ${clientId}
    clientSecret: { file: secrets/intune }
    loginUrl: ${url}/
    graphUrl: ${url}
    resourceUrl: https://api.manage.microsoft.com
    ca: ${caFile}
    timeout: 1s
secrets:`,
        ),
    );
    await writeFile(path.join(files.directory, 'secrets/intune'), clientSecret, { mode: 0o600 });
    authority = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => authority.stop());
  });
  beforeEach(() => {
    services = new Imitation(() => system.url);
    system.questions.length = 0;
  });

  let devices = 0;
  const enroll = async (id = `intune-${(devices += 1)}`, key = makeKey('rsa-2048')) => {
    await authority.admin.device(id, { approveFor: ['device'] });
    const content = csrFor(id, key, { challengePassword: challenge });
    const client = await ScepClient.at(`${authority.scep}/device`);
    const answer = await client.ask({ content, key, transactionId: `transaction of ${id}` });
    return { id, key, content: Buffer.from(content), answer };
  };
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;
  const asked = (action: string) => system.questions.filter(({ path: target }) => target.endsWith(action));
  const members = ({ text }: Question) => JSON.parse(text) as Record<string, Record<string, unknown>>;

  test('validates, and is told of success before the certificate leaves', async () => {
    const { id, content, answer } = await enroll();
    assert.equal(answer.pkiStatus, 'success', answer.text);
    const certificate = parseCertificate(answer.certificates[0]!);

    const [validate] = asked('validateRequest');
    assert.deepEqual(members(validate!), {
      request: {
        transactionId: `transaction of ${id}`,
        certificateRequest: content.toString('base64'),
        callerInfo: (members(validate!)['request'] ?? {})['callerInfo'],
      },
    });
    assert.match(String(members(validate!)['request']!['callerInfo']), /^Sallyport /);
    assert.equal(validate!.headers['authorization'], 'Bearer token-1');
    assert.equal(validate!.headers['api-version'], '2018-02-20');
    assert.match(
      String(validate!.headers['client-request-id']),
      /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/,
    );

    const { notification } = members(asked('successNotification')[0]!);
    const { callerInfo: _, ...told } = notification!;
    assert.deepEqual(told, {
      transactionId: `transaction of ${id}`,
      certificateRequest: content.toString('base64'),
      certificateThumbprint: createHash('sha1').update(certificate.der).digest('hex').toUpperCase(),
      certificateSerialNumber: certificate.serialNumber,
      certificateExpirationDateUtc: new Date(certificate.notAfter).toISOString(),
      issuingCertificateAuthority: told['issuingCertificateAuthority'],
    });
    assert.match(String(told['issuingCertificateAuthority']), /^CN=/);
  });

  test('is asked with tokens for two resources, each had once while it lives', async () => {
    services.validate = () => ({ status: 401 });
    await enroll();
    services.validate = () => success;
    system.questions.length = 0;
    await enroll();
    await enroll();
    const forms = asked('/token').map(({ text }) => new URLSearchParams(text));
    assert.deepEqual(
      forms.map((form) => form.get('scope')),
      [`${system.url}/.default`, 'https://api.manage.microsoft.com//.default'],
    );
    for (const form of forms) {
      assert.deepEqual(
        ['grant_type', 'client_id', 'client_secret'].map((name) => form.get(name)),
        ['client_credentials', clientId, clientSecret],
      );
    }
  });

  for (const code of refusals) {
    test(`the code ${code} is a refusal`, async () => {
      services.validate = () => ({ body: { code, errorDescription: `words about ${challenge}` } });
      const { answer } = await enroll();
      assert.equal(answer.pkiStatus, 'failure');
      const entry = await newest();
      assert.deepEqual(entry.observations.workflows, [
        { name: 'intune', decision: 'refused', code, device: 'none' },
      ]);
      assert.deepEqual(controlsOf(entry), ['authentication', 'challenge-known', 'workflow-agreed']);
      assert.deepEqual(asked('successNotification'), []);
    });
  }

  const noAgreement: readonly [what: string, reply: Reply | 'hang', said: string][] = [
    ['an unknown code', { body: { code: 'SomethingNew' } }, 'refused SomethingNew'],
    ['success in other letters', { body: { code: 'success' } }, 'refused success'],
    ['success as the number of the enumeration', { body: { code: 1 } }, 'refused unreadable'],
    ['success among others', { body: { code: ['Success'] } }, 'refused unreadable'],
    ['no code', { body: {} }, 'refused unreadable'],
    ['no JSON', { body: 'Success' }, 'refused unreadable'],
    ['a status of 500 with a good body', { status: 500, body: { code: 'Success' } }, 'unavailable http-500'],
    ['a status of 401', { status: 401 }, 'unavailable http-401'],
    ['silence', 'hang', 'unavailable no-answer'],
  ];
  for (const [what, reply, said] of noAgreement) {
    test(`validation: ${what} is no agreement`, async () => {
      services.validate = () => reply;
      const { answer } = await enroll();
      assert.equal(answer.pkiStatus, 'failure');
      const [observed] = (await newest()).observations.workflows!;
      assert.equal(`${observed!.decision} ${observed!.code}`, said);
    });

    test(`notification of success: ${what} means that the certificate does not leave`, async () => {
      services.succeeded = () => reply;
      const { id, answer } = await enroll();
      assert.deepEqual(answer.certificates, []);
      const isFinal = said.startsWith('refused');
      assert.equal((await newest()).outcome, isFinal ? 'withdrawn' : 'withheld');
      const { items } = await authority.admin.client.perform('listCertificates', { device: id });
      assert.deepEqual(
        items.map(({ state }) => state),
        [isFinal ? 'revoked' : 'current'],
      );
    });
  }

  for (const [what, break_] of [
    [
      'Entra gives no token',
      (it: Imitation) => (it.token = () => ({ status: 401, body: { error: 'invalid_client' } })),
    ],
    ['Graph does not know the service', (it: Imitation) => (it.endpoints = () => ({ body: { value: [] } }))],
    ['Graph fails', (it: Imitation) => (it.endpoints = () => ({ status: 500 }))],
    [
      'Graph names a place without TLS',
      (it: Imitation) =>
        (it.endpoints = () => ({
          body: { value: [{ providerName: 'ScepRequestValidationFEService', uri: 'http://127.0.0.1:1/x' }] },
        })),
    ],
  ] as const) {
    test(`nothing is issued where ${what}`, async () => {
      // What is kept of before is let go at a failure.
      services.validate = () => ({ status: 503 });
      await enroll();
      services.validate = () => success;
      break_(services);
      const { answer } = await enroll();
      assert.equal(answer.pkiStatus, 'failure');
      const [observed] = (await newest()).observations.workflows!;
      assert.equal(`${observed!.decision} ${observed!.code}`, 'unavailable no-answer');
      assert.deepEqual(asked('successNotification'), []);
    });
  }

  test('is told of a request that came to nothing after all', async () => {
    services.succeeded = () => ({ body: { code: 'ChallengeExpired' } });
    const { id } = await enroll();
    const failure = await system.question(({ path: target }) => target.endsWith('failureNotification'));
    const { notification } = members(failure);
    assert.equal(notification!['transactionId'], `transaction of ${id}`);
    assert.equal(notification!['hResult'], 0x80070005);
    assert.match(String(notification!['errorDescription']), /^workflow-delivery: .{1,230}$/);
  });

  test('neither its challenges nor its secrets are in the log', async () => {
    await enroll();
    const text = JSON.stringify(await requestEntriesOf(authority));
    for (const secret of [challenge, clientSecret, 'token-1']) assert.ok(!text.includes(secret), secret);
  });
});

function controlsOf({ verdict }: RequestEntry): string[] {
  return verdict.objections.map(({ control }) => control);
}
