import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

/** A class whose devices are known by this name that evidence of the format has. */
function known(format: string, from: string): string {
  const level = format === 'tpm' || format === 'idevid' ? ', level: discrete-tpm' : '';
  return edited(
    '\ndeviceClasses:\n  laptop:\n    attestation: none\n',
    [
      '',
      'attestation:',
      `  roots: { vendor: { format: ${format}, certificates: [pki/vendor.pem]${level} } }`,
      'deviceClasses:',
      '  laptop:',
      '    attestation: required',
      `    evidence: { ${format}: { roots: [vendor], device: { from: ${from}, is: akSha256 } } }`,
      '',
    ].join('\n'),
  );
}

describe('a device that is known by the key that attests', () => {
  for (const format of ['tpm', 'idevid']) {
    test(`of ${format}`, () => assert.deepEqual(problemsOf(known(format, 'attestationKey')), []));
  }

  for (const format of ['apple', 'android-key', 'step']) {
    test(`is none of ${format}, which has no certificate of it`, () => {
      const key = `deviceClasses.laptop.evidence.${format}.device.from`;
      assertRefused(known(format, '§attestationKey'), key, /^is of the evidence of TPMs/);
    });
  }
});
