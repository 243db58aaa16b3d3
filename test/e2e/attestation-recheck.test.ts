import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { attestingAuthority, type Yaml } from '../harness/attesting-device.ts';
import { sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { est } from '../harness/est-client.ts';
import { TestDevice } from '../harness/test-device.ts';

/** What was right when it was issued, asked again by what is believed now. */
describe('sallyport attestation recheck', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  const recheck = async (...more: readonly string[]) => {
    const { code, stdout } = await sallyportHere(
      'attestation',
      'recheck',
      '--json',
      '--config',
      authority.configuration,
      ...more,
    );
    return { code, ...(JSON.parse(stdout) as Record<string, unknown>) } as {
      code: number;
      attested: number;
      erased: number;
      fallen: Fallen;
    };
  };
  const edit = async (from: string | RegExp, to: string) => {
    const yaml = await readFile(authority.configuration, 'utf8');
    assert.match(yaml, from instanceof RegExp ? from : new RegExp(from));
    await writeFile(authority.configuration, yaml.replace(from, to));
  };
  const enrolled = async (id: string, deviceClass = 'attested-laptop') => {
    const device = await TestDevice.expected(authority, id, { deviceClass });
    const url = `${authority.est}/device/nonce`;
    const given = await est({ url, trust: authority.trustPem, user: [id, device.secret] });
    const nonce = new Uint8Array(Buffer.from(JSON.parse(given.text).nonce as string, 'base64url'));
    const key = makeKey();
    const csr = csrFor(id, key, { attributes: [authority.tpm(id).attribute(nonce, key)] });
    const answer = await device.enroll({ key, csr });
    assert.equal(answer.status, 200, answer.text);
  };

  before(async () => {
    authority = await attestingAuthority(cleanup);
    await TestDevice.enrolled(authority, 'plain');
    // Its class takes no evidence, and this rests on none.
    await enrolled('unasked', 'laptop');
    for (const id of ['one', 'two', 'gone', 'revoked']) await enrolled(id);
    await authority.admin.client.perform('retireDevice', { id: 'gone' });
    await authority.admin.client.perform('eraseDevice', { id: 'gone' });
    const { items } = await authority.admin.client.perform('listCertificates', { device: 'revoked' });
    await authority.admin.client.perform('revokeCertificate', { id: items[0]!.sha256, remark: null });
  });

  test('finds nothing where nothing has changed', async () => {
    const { code, attested, erased, fallen } = await recheck();
    assert.deepEqual([code, attested, erased, fallen], [0, 3, 1, []]);
  });

  for (const [what, change, check] of [
    ['of a format that is not asked for any more', withoutFormat, 'format'],
    ['whose device is to be named by another type', namedByType, 'device'],
    ['of a level that is none of hardware, where the template demands that now', virtual, 'template-level'],
    ['of a level that neither class nor template takes, once', virtualAnywhere, 'assurance-level'],
  ] as const) {
    test(`names the live certificates ${what}`, async () => {
      const before = await readFile(authority.configuration, 'utf8');
      const settings = change(parse(before) as Yaml);
      await writeFile(authority.configuration, stringify(settings, { aliasDuplicateObjects: false }));
      const { code, fallen } = await recheck();
      await writeFile(authority.configuration, before);
      assert.equal(code, 1);
      assert.deepEqual(
        fallenOf(fallen),
        ['one', 'two'].map((device) => [device, [check]]),
      );
    });
  }

  test('names the live certificates of roots that are of another level than the class asks', async () => {
    await edit('level: discrete-tpm', 'level: firmware-tpm');
    await edit(
      /roots:\n( +)- tpm\n/,
      'roots:\n$1- tpm\n$1levels: [discrete-tpm]\n'.replace('$1levels', '        levels'),
    );
    const { code, fallen } = await recheck();
    assert.equal(code, 1);
    assert.deepEqual(fallenOf(fallen), [
      ['one', ['assurance-level']],
      ['two', ['assurance-level']],
    ]);
  });

  test('has them revoked', async () => {
    const { code, fallen } = await recheck('--revoke');
    assert.deepEqual([code, fallen.length], [0, 2]);
    const { items } = await authority.admin.client.perform('listCertificates', { device: 'one' });
    assert.deepEqual(
      items.map(({ state }) => state),
      ['revoked'],
    );
    const again = await recheck();
    assert.deepEqual([again.code, again.attested, again.erased], [0, 1, 1]);
  });
});

type Fallen = readonly {
  readonly device: string;
  readonly problems: readonly { readonly check: string }[];
}[];

const fallenOf = (fallen: Fallen) =>
  fallen.map(({ device, problems }) => [device, problems.map(({ check }) => check)]);

function evidenceOf(settings: Yaml): Yaml[string] {
  return settings['deviceClasses']!['attested-laptop']!['evidence'] as Yaml[string];
}

function withoutFormat(settings: Yaml): Yaml {
  delete evidenceOf(settings)['tpm'];
  return settings;
}

function namedByType(settings: Yaml): Yaml {
  evidenceOf(settings)['tpm']!['device'] = {
    from: 'permanentIdentifier',
    is: 'id',
    types: ['1.3.6.1.4.1.32473.1'],
  };
  return settings;
}

function virtual(settings: Yaml): Yaml {
  Object.assign(settings['attestation']!['roots']!['tpm']!, { level: 'virtual-tpm' });
  settings['templates']!['device']!['keyProtection'] = 'hardware';
  return settings;
}

function virtualAnywhere(settings: Yaml): Yaml {
  evidenceOf(settings)['tpm']!['levels'] = ['discrete-tpm'];
  return virtual(settings);
}
