import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderIdentifier } from '#enrollment';
import type { EvidenceIdentities } from '#evidence';
import { hardwareSerialNumberText } from '#x509';
import { answerWithEvidence } from './device-attest.ts';
import { AcmeError } from './problems.ts';

type Asked = Parameters<typeof answerWithEvidence>;

interface Naming {
  readonly identities: EvidenceIdentities;
  readonly ordered: OrderIdentifier;
}

const permanentIdentifier: OrderIdentifier = { type: 'permanent-identifier', value: 'phone-7' };

/** What enrollment says of the evidence, and what is written down of the challenge then. */
async function answered(
  judged: { problem: string | null; isPassing: boolean },
  named: string,
  { identities = { serialNumber: named }, ordered = permanentIdentifier }: Partial<Naming> = {},
) {
  const written: unknown[] = [];
  const examination = {
    sha256: '00',
    format: 'android-key',
    fault: null,
    certificates: [],
    statement: { spki: '11', fresh: true, identities, claims: {} },
  };
  const ports = {
    enrollment: {
      attest: async () => ({ examination, deviceId: 'phone-7', ...judged }),
      entryOf: () => ({}),
    },
    store: { attested: async (act: unknown) => void written.push(act) },
    authority: () => ({ references: { templates: {} } }),
    now: () => 0,
    random: (n: number) => new Uint8Array(n),
  };
  const found = {
    id: 'a',
    ...ordered,
    token: 't',
    template: 'hardware',
    expiresAt: 1,
  };
  const message = { payload: Buffer.from('{"attObj":"AA"}') };
  const own = { id: 'account', device: 'phone-7', thumbprint: 'p' };
  const asked = [message, found, own, { admission: { id: 'request' } }, ports] as unknown as Asked;
  const error: unknown = await answerWithEvidence(...asked).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, written: written as { problem: object | null }[] };
}

const words = 'revocation-list: there is no list of revoked certificates, or an old one';

test('a list of ours that is too old: 503, the challenge stays pending, and the log has the reason', async () => {
  const { error, written } = await answered({ problem: words, isPassing: true }, 'phone-7');
  assert.ok(error instanceof AcmeError);
  assert.equal(error.message, words);
  assert.deepEqual([error.status, error.headers], [503, { 'Retry-After': '30' }]);
  assert.deepEqual(error.document, {
    type: 'urn:ietf:params:acme:error:serverInternal',
    detail: 'the evidence could not be looked at now; try again later',
    status: 503,
  });
  assert.deepEqual(written, []);
});

test('evidence of another device, or that does not hold, is refused for good, however old the list is', async () => {
  for (const [judged, named] of [
    [{ problem: words, isPassing: true }, 'phone-8'],
    [{ problem: words, isPassing: false }, 'phone-7'],
    [{ problem: null, isPassing: false }, 'phone-8'],
  ] as const) {
    const { error, written } = await answered(judged, named);
    assert.equal(error, null);
    assert.equal(written.length, 1);
    assert.match(JSON.stringify(written[0]!.problem), /badAttestationStatement/);
  }
});

test('evidence that holds is written down as valid', async () => {
  const { error, written } = await answered({ problem: null, isPassing: false }, 'phone-7');
  assert.equal(error, null);
  assert.deepEqual(
    written.map(({ problem }) => problem),
    [null],
  );
});

test('a hardware-module is compared octet for octet, and one that is no text in hex', async () => {
  const type = '1.3.6.1.4.1.32473.7';
  const isOf = async (octets: Uint8Array, value: string) => {
    const hardwareModule = { serialNumber: hardwareSerialNumberText(octets), type };
    const ordered = { type: 'hardware-module', value: `${value}/${type}` } as const;
    const { written } = await answered({ problem: null, isPassing: false }, '', {
      identities: { hardwareModule },
      ordered,
    });
    return written[0]!.problem === null;
  };
  for (const text of ['SN-7', 'STM :ab12:4d5', 'Ger\u00e4t-7', '\u00e9', 'hexagon']) {
    assert.ok(await isOf(Buffer.from(text), text), text);
    assert.ok(!(await isOf(Buffer.from(text), `${text} `)), text);
    assert.ok(!(await isOf(Buffer.from(`${text} `), text)), text);
  }
  // The same letter in two forms of Unicode is not the same octets.
  assert.ok(!(await isOf(Buffer.from('\u00e9'), 'e\u0301')));
  assert.ok(await isOf(Buffer.of(0, 0xff), 'hex:00ff'));
  assert.ok(!(await isOf(Buffer.from('hex:00ff'), 'hex:00ff')));
  assert.ok(await isOf(Buffer.from('hex:00ff'), `hex:${Buffer.from('hex:00ff').toString('hex')}`));
});
