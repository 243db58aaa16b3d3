import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { formatName, parseCertificate, pemToDer } from '#x509';
import type { EvidenceFormat } from './evidence.ts';
import { knownRootOf, knownRoots } from './known-roots.ts';
import { rootConcerns } from './root-concerns.ts';

const data = join(import.meta.dirname, '../../../shared/data');

test('each fingerprint stands once, as SHA-256 in lower-case hexadecimal, for some format', () => {
  // 26 of makers of TPMs, 5 of Google, 1 of Apple, 2 of Yubico: a row that stands twice would be one less.
  assert.equal(knownRoots.size, 34);
  for (const [sha256, { formats, vendor, name }] of knownRoots) {
    assert.match(sha256, /^[0-9a-f]{64}$/, `${vendor} ${name}`);
    assert.ok(formats.length > 0);
  }
});

test('what decides a level is a root of TPMs, and no root is of a maker and of another format', () => {
  for (const { vendor, formats, level } of knownRoots.values()) {
    if (level !== null) assert.deepEqual([vendor, formats], [vendor, ['endorsement']]);
    if (formats.length > 1) assert.deepEqual(formats, ['tpm', 'endorsement']);
  }
});

/** The certificates themselves are their vendors': they are read where they are at hand. */
suite(
  'roots as their vendors publish them',
  { skip: existsSync(data) ? false : `${data} is not here` },
  () => {
    const text = (file: string) => readFileSync(join(data, file), 'utf8');
    const files: readonly (readonly [EvidenceFormat, string])[] = [
      ['endorsement', text('tpm/vendor-roots.pem')],
      ['apple', text('apple/enterprise-attestation-root.pem')],
      ['step', text('yubico/attestation-root-1.pem') + text('yubico/piv-root-263751.pem')],
      ['android-key', (JSON.parse(text('android/roots.json')) as string[]).join('\n')],
    ];
    for (const [format, pem] of files) {
      test(`of ${format}: known, of that format, sound, and in date in November 2026`, () => {
        for (const der of pemToDer(pem, 'CERTIFICATE')) {
          const certificate = parseCertificate(der);
          const known = knownRootOf(certificate);
          const name = formatName(certificate.subject);
          assert.ok(known !== null && known.formats.includes(format), name);
          const organization = known.vendor === 'AMD' ? 'Advanced Micro Devices|AMD' : known.vendor;
          if (known.vendor !== 'Google') assert.match(name, new RegExp(organization, 'i'));
          const concerns = rootConcerns(certificate, { format, level: known.level }, Date.UTC(2026, 10, 26));
          assert.deepEqual(concerns, [], name);
        }
      });
    }
  },
);
