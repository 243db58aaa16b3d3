import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildName } from '#x509';
import { challenge, serviceOf, template } from './profile.fixture.ts';
import type { DeviceService } from './profile.ts';
import { certNameText, renderSyncMl, renderTable } from './windows.ts';

const valuesOf = (changes: Parameters<typeof serviceOf>[0] = {}) =>
  new Map(
    renderTable(serviceOf(changes), challenge)
      .trimEnd()
      .split('\n')
      .map((line) => /^(\w+) +(.*)$/.exec(line)!.slice(1) as [string, string]),
  );

test('a name as CertStrToName reads it: delimiters in quotes, a quote twice, OIDs where there is no key', () => {
  const subject = buildName([
    { type: 'stateOrProvinceName', value: 'Bern' },
    { type: 'organizationName', value: 'Smith, "Sons" + Co' },
    { type: 'commonName', value: 'laptop-7' },
    { type: 'serialNumber', value: '4711' },
  ]);
  assert.equal(certNameText(subject), 'S=Bern,O="Smith, ""Sons"" + Co",CN=laptop-7,OID.2.5.4.5=4711');
  assert.equal(certNameText(buildName([{ type: 'commonName', value: ' a' }])), 'CN=" a"');
});

test('alternative names by the numbers of AlternativeNameType; none where one cannot be written', () => {
  const dns = { kind: 'dns', value: 'a.example' } as const;
  const uri = { kind: 'uri', value: 'urn:x:1' } as const;
  const email = { kind: 'email', value: 'a@example.com' } as const;
  const names = (list: DeviceService['subjectAltName']) =>
    valuesOf({ subjectAltName: list }).get('SubjectAlternativeNames');
  assert.equal(names([dns, uri, email]), '3+a.example;7+urn:x:1;2+a@example.com');
  assert.equal(names([dns, { kind: 'ip', value: '192.0.2.1' }]), undefined);
  assert.equal(names([dns, { kind: 'uri', value: 'urn:x;y' }]), undefined);
  assert.equal(names([dns, { kind: 'email', value: 'a+b@example.com' }]), undefined);
});

test('waits in minutes, and asks 30 times at most', () => {
  const asks = (totalSeconds: number) => {
    const values = valuesOf({ patience: { intervalSeconds: 30, totalSeconds } });
    return [values.get('RetryCount'), values.get('RetryDelay')];
  };
  assert.deepEqual(asks(3600), ['30', '2']);
  assert.deepEqual(asks(86_400), ['30', '48']);
  assert.deepEqual(asks(300), ['5', '1']);
  assert.deepEqual(asks(1), ['1', '1']);
});

test('a key of 2048 bits is kept by a TPM where there is one, a longer one in software', () => {
  const of = (changes: Partial<typeof template>) => {
    const values = valuesOf({ template: { ...template, ...changes } });
    return [values.get('KeyLength'), values.get('KeyProtection'), values.get('KeyUsage')];
  };
  assert.deepEqual(of({}), ['2048', '2', '128']);
  const both = ['digitalSignature', 'keyEncipherment'];
  assert.deepEqual(of({ keyAlgorithms: ['rsa-4096'], keyUsage: both }), ['4096', '3', '160']);
});

test('a life of less than a day is not asked for', () => {
  assert.equal(valuesOf().get('ValidPeriodUnits'), '365');
  const hours = valuesOf({ template: { ...template, validitySeconds: 7200 } });
  assert.deepEqual([hours.get('ValidPeriod'), hours.get('ValidPeriodUnits')], [undefined, undefined]);
});

test('SyncML is one Atomic that ends with Enroll, each command under its own number, the text escaped', () => {
  const subject = buildName([{ type: 'commonName', value: 'R&D <7>' }]);
  const xml = renderSyncMl(serviceOf({ subject }), challenge);
  const numbers = [...xml.matchAll(/<CmdID>(\d+)<\/CmdID>/g)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => at + 1),
  );
  assert.match(xml, /<Data>CN=&quot;R&amp;D &lt;7&gt;&quot;<\/Data>/);
  assert.match(xml, /<Exec>[^\n]*\/Install\/Enroll<\/LocURI><\/Target><\/Item><\/Exec>\n {4}<\/Atomic>/);
});
