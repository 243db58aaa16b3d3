import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCertificate } from '#x509';
import { sallyportHere } from '../harness/authority.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { attestationKeyOf, phone } from '../harness/played-phone.ts';
import type { TestCa } from '../harness/pki.ts';
import { TestDevice } from '../harness/test-device.ts';
import { vendorAuthority } from '../harness/vendor-authority.ts';

type Authority = Awaited<ReturnType<typeof vendorAuthority>>;

test("sallyport attestation recheck finds what rests on a key that Google's list has had since", async (t) => {
  const authority = await vendorAuthority(t);
  const { google } = authority.vendors;
  const [leaked, other] = [attestationKeyOf(google), attestationKeyOf(google)];
  await enrolled(authority, 'phone-1', leaked);
  await enrolled(authority, 'phone-2', other);
  assert.deepEqual(await recheck(authority), { code: 0, attested: 2, fallen: [] });
  await authority.statusList.says(leaked, 'REVOKED');
  const { serialNumber } = parseCertificate(leaked.certificate);
  assert.deepEqual(await recheck(authority), {
    code: 1,
    attested: 2,
    fallen: [['phone-1', 'android-key', [`revocation: certificate ${serialNumber} is REVOKED`]]],
  });
});

async function enrolled(authority: Authority, id: string, attestation: TestCa): Promise<void> {
  const identifiers = { serialNumber: `S-${id}` };
  const device = await TestDevice.expected(authority, id, { deviceClass: 'attested-laptop', identifiers });
  const key = makeKey();
  const hardware = phone(authority.vendors.google, identifiers.serialNumber, { attestation });
  const attributes = [hardware.attribute(await device.nonce(), key)];
  const answer = await device.enroll({ key, csr: csrFor(id, key, { attributes }) });
  assert.equal(answer.status, 200, answer.text);
}

interface Fallen {
  readonly device: string;
  readonly format: string;
  readonly problems: readonly { readonly check: string; readonly detail: string }[];
}

async function recheck({ configuration }: Authority) {
  const words = ['attestation', 'recheck', '--json', '--config', configuration];
  const { code, stdout } = await sallyportHere(...words);
  const { attested, fallen } = JSON.parse(stdout) as { attested: number; fallen: readonly Fallen[] };
  return {
    code,
    attested,
    fallen: fallen.map(({ device, format, problems }) => [
      device,
      format,
      problems.map(({ check, detail }) => `${check}: ${detail}`),
    ]),
  };
}
