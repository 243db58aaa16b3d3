import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildName } from '#x509';
import { renderAppleProfile } from './apple.ts';
import { challenge, serviceOf, template } from './profile.fixture.ts';

/** Without the white space between elements. */
const rendered = (changes: Parameters<typeof serviceOf>[0] = {}) =>
  renderAppleProfile(serviceOf(changes), challenge).replaceAll(/>\s+</g, '><');
const valueOf = (xml: string, key: string) =>
  new RegExp(`<key>${key}</key>(<(\\w+)>.*?</\\2>|<\\w+/>)`).exec(xml)?.[1];

test('each RDN is an array of pairs: short names for six types, OIDs for the others, reserved characters escaped', () => {
  const subject = buildName([
    { type: 'organizationName', value: 'Smith & <Sons>' },
    { type: 'commonName', value: 'a,b="c"' },
    { type: 'serialNumber', value: '4711' },
  ]);
  const pair = (type: string, value: string) =>
    `<array><array><string>${type}</string><string>${value}</string></array></array>`;
  assert.ok(
    rendered({ subject }).includes(
      `<key>Subject</key><array>${pair('O', 'Smith &amp; &lt;Sons&gt;')}${pair('CN', 'a,b=&quot;c&quot;')}${pair('2.5.4.5', '4711')}</array>`,
    ),
  );
});

test('several alternative names of a kind are an array, one is a string', () => {
  const xml = rendered({
    subjectAltName: [
      { kind: 'dns', value: 'a.example' },
      { kind: 'dns', value: 'b.example' },
      { kind: 'email', value: 'a@example.com' },
    ],
  });
  assert.equal(
    /<key>SubjectAltName<\/key><dict>(.*?)<\/dict>/.exec(xml)![1],
    '<key>dNSName</key><array><string>a.example</string><string>b.example</string></array>' +
      '<key>rfc822Name</key><string>a@example.com</string>',
  );
});

test('with an address among the names, none is told: a renewal that named some would be refused', () => {
  const names = [
    { kind: 'dns', value: 'a.example' },
    { kind: 'ip', value: '192.0.2.1' },
  ] as const;
  assert.doesNotMatch(rendered({ subjectAltName: names }), /SubjectAltName/);
});

test('asks again for as long as it is to wait, as often as the authority says', () => {
  const xml = rendered({ patience: { intervalSeconds: 60, totalSeconds: 7200 } });
  assert.deepEqual(
    [valueOf(xml, 'Retries'), valueOf(xml, 'RetryDelay')],
    ['<integer>120</integer>', '<integer>60</integer>'],
  );
  const soon = rendered({ patience: { intervalSeconds: 60, totalSeconds: 1 } });
  assert.equal(valueOf(soon, 'Retries'), '<integer>1</integer>');
});

test('the key is one that the template takes and Apple makes, for its usages and no others', () => {
  const of = (changes: Partial<typeof template>) => rendered({ template: { ...template, ...changes } });
  assert.equal(
    valueOf(of({ keyAlgorithms: ['rsa-3072', 'rsa-4096'] }), 'Keysize'),
    '<integer>4096</integer>',
  );
  const usages: [string[], number][] = [
    [['digitalSignature'], 1],
    [['keyEncipherment'], 4],
    [['digitalSignature', 'keyEncipherment'], 5],
  ];
  for (const [keyUsage, bits] of usages) {
    assert.equal(valueOf(of({ keyUsage }), 'Key Usage'), `<integer>${bits}</integer>`);
  }
  assert.throws(() => of({ keyAlgorithms: ['rsa-3072'] }), { code: 'usage', message: /2048 or 4096 bits/ });
  assert.throws(() => of({ keyUsage: ['keyAgreement'] }), {
    code: 'usage',
    message: /keyUsage keyAgreement/,
  });
});

test('another secret makes another profile of the same identifier, which replaces the one that is installed', () => {
  const again = renderAppleProfile(serviceOf(), { ...challenge, id: 'S-2' });
  const first = renderAppleProfile(serviceOf(), challenge);
  const all = (xml: string, key: string) =>
    [...xml.matchAll(new RegExp(`<key>${key}</key>\\s*<string>(.*?)</string>`, 'g'))].map(
      ([, text]) => text!,
    );
  assert.deepEqual(all(again, 'PayloadIdentifier'), all(first, 'PayloadIdentifier'));
  const [ours, theirs] = [all(first, 'PayloadUUID'), all(again, 'PayloadUUID')];
  assert.equal(new Set(ours).size, 4);
  assert.equal(ours.filter((uuid) => !theirs.includes(uuid)).length, 2);
  assert.equal(renderAppleProfile(serviceOf(), challenge), first);
});
