import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import { requireClient } from '../clients.ts';
import { ScepRequest } from '../harness/scep-request.ts';
import { sallyport } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { type InteropAuthority, interopAuthority } from '../harness/interop-authority.ts';
import { TestCa } from '../harness/pki.ts';
import { ScepClient } from '../harness/scep-client.ts';
import { Certmonger } from './certmonger.ts';

/** What `sallyport profile` writes, done to the letter: by the clients themselves where there are any here. */
describe('sallyport profile', () => {
  const cleanup = suiteCleanup();
  let authority: InteropAuthority;
  before(async () => {
    authority = await interopAuthority(cleanup);
  });

  /** Of a device that is approved beforehand. */
  async function profile(kind: string, device: string, ...more: string[]): Promise<string> {
    const identifiers = { serialNumber: `SN-${device}`, dnsName: `${device}.example.com` };
    await authority.admin.device(device, { approveFor: ['device'], identifiers });
    const url = new URL(authority.scep).origin;
    const words = [kind, '--device', device, '--template', 'device', '--url', url, ...more];
    const { code, stdout, stderr } = await sallyport(
      'profile',
      ...words,
      '--config',
      authority.configuration,
    );
    assert.equal(code, 0, stderr);
    return stdout;
  }

  const namesOf = ({ subject, subjectAltName }: Certificate) => [
    subject.flat().map(({ value }) => value),
    subjectAltName.map(({ kind, value }) => `${kind}:${String(value)}`),
  ];
  const wanted = (device: string) => [[device], [`dns:${device}.example.com`, `uri:urn:serial:SN-${device}`]];

  describe('scripts that sh runs on the device', () => {
    const certificateIn = async (folder: ClientFolder) =>
      parseCertificate(pemToDer(await folder.read('device.pem'), 'CERTIFICATE')[0]!);

    test("strongSwan's pki", async (t) => {
      if (requireClient(t, 'pki') === null || requireClient(t, 'openssl') === null) return;
      const folder = await ClientFolder.make(t);
      await writeFile(folder.path('enroll.sh'), await profile('strongswan', 'swan-profile'));
      const first = await folder.run('sh', 'enroll.sh');
      assert.equal(first.code, 0, first.stderr);
      assert.deepEqual(namesOf(await certificateIn(folder)), wanted('swan-profile'));
      // The same key has the same certificate again.
      const before = await folder.read('device.pem');
      assert.equal((await folder.run('sh', 'enroll.sh')).code, 0);
      assert.equal(await folder.read('device.pem'), before);
    });

    /** The CA that the script brings is another: to the device, whoever answers is a stranger. */
    const deceived = (script: string) => {
      const [first, ...others] = [...script.matchAll(/<<'END'\n(-----BEGIN CERT[\s\S]*?)\nEND/g)];
      assert.equal(others.length, 1);
      return script
        .replaceAll(first![1]!, authority.maker.pem.trimEnd())
        .replaceAll(others[0]![1]!, authority.maker.pem.trimEnd());
    };
    const startCertmonger = async (t: TestContext) => {
      const others = [requireClient(t, 'curl'), requireClient(t, 'openssl')];
      return others.includes(null) ? null : Certmonger.start(t);
    };
    const statesOf = async (device: string) => {
      const { secrets } = await authority.admin.client.perform('showDevice', { id: device });
      return secrets.map(({ state }) => state);
    };

    test("strongSwan's pki sends no secret to an RA of another CA", async (t) => {
      if (requireClient(t, 'pki') === null || requireClient(t, 'openssl') === null) return;
      const folder = await ClientFolder.make(t);
      const script = await profile('strongswan', 'swan-deceived');
      await writeFile(folder.path('enroll.sh'), deceived(script));
      assert.notEqual((await folder.run('sh', 'enroll.sh')).code, 0);
      assert.deepEqual(await statesOf('swan-deceived'), ['live']);
    });

    test('certmonger sends no secret to an RA of another CA', async (t) => {
      const certmonger = await startCertmonger(t);
      if (certmonger === null) return;
      const script = deceived(await profile('certmonger', 'deceived'));
      const { code, stderr } = await certmonger.runScript(script);
      assert.notEqual(code, 0);
      assert.match(stderr, /verification failed/);
      assert.deepEqual(await statesOf('deceived'), ['live']);
    });

    test('certmonger', async (t) => {
      const certmonger = await startCertmonger(t);
      if (certmonger === null) return;
      const script = await profile('certmonger', 'certmonger-profile');
      const result = await certmonger.runScript(script);
      assert.equal(result.code, 0, result.stderr + result.stdout.toString());
      await certmonger.reaches('sallyport-device', 'MONITORING');
      assert.deepEqual(namesOf(await certificateIn(certmonger.folder)), wanted('certmonger-profile'));
    });
  });

  test('sscep: the request that openssl makes of the script gives a certificate', async (t) => {
    if (requireClient(t, 'openssl') === null) return;
    const folder = await ClientFolder.make(t);
    const script = await profile('sscep', 'sscep-request');
    const file = /^cat > request\.conf <<'END'\n[\s\S]*?\nEND$/m.exec(script)![0];
    const lines = script.split('\n').filter((line) => /openssl (?:genrsa|req) /.test(line));
    assert.equal(lines.length, 2);
    const made = await folder.run('sh', '-e', '-c', [file, ...lines].join('\n'));
    assert.equal(made.code, 0, made.stderr);
    const privateKey = createPrivateKey(await folder.read('device.key'));
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    const [content] = pemToDer(await folder.read('request.pem'), 'CERTIFICATE REQUEST');
    const client = await ScepClient.at(/sscep enroll -u (\S+)/.exec(script)![1]!);
    const answer = await client.ask({ content: content!, key: { algorithm: 'rsa-2048', privateKey, spki } });
    assert.equal(answer.pkiStatus, 'success', answer.text);
    assert.deepEqual(namesOf(parseCertificate(answer.certificates[0]!)), wanted('sscep-request'));
  });

  test('a certificate that the CA gave to a device is no RA for the scripts', async (t) => {
    if (requireClient(t, 'openssl') === null) return;
    const folder = await ClientFolder.make(t);
    const root = TestCa.root('Root');
    const issuing = root.intermediate('Issuing');
    const save = (name: string, { pem }: { pem: string }) => writeFile(folder.path(name), pem);
    await save('root.pem', root);
    await save('issuing.pem', issuing);
    const script = await profile('sscep', 'sscep-profile');
    const line = /^openssl verify (?:.*\\\n)*.*$/m.exec(script)![0];
    const verdicts = { emailProtection: 'taken', clientAuth: 'refused' } as const;
    for (const [usage, verdict] of Object.entries(verdicts)) {
      const ra = issuing.endEntity({
        subject: [{ type: 'commonName', value: usage }],
        keyUsage: ['digitalSignature', 'keyEncipherment'],
        extendedKeyUsage: [usage as keyof typeof verdicts],
      });
      await save('ra.pem', ra);
      const { code, stderr } = await folder.run('sh', '-c', line);
      assert.equal(code === 0 ? 'taken' : 'refused', verdict, `${usage}: ${stderr}`);
    }
  });

  describe('values, as a device takes them', () => {
    interface AppleProfile {
      readonly PayloadContent: readonly { readonly PayloadType: string; readonly PayloadContent: unknown }[];
    }

    interface ScepPayload {
      readonly URL: string;
      readonly CAFingerprint: string;
      readonly Challenge: string;
      readonly Subject: readonly (readonly (readonly [type: string, value: string])[])[];
      readonly SubjectAltName: { readonly dNSName: string; readonly uniformResourceIdentifier: string };
      readonly 'Key Type': string;
      readonly 'Key Usage': number;
      readonly Keysize: number;
      readonly KeyIsExtractable: boolean;
      readonly AllowAllAppsAccess: boolean;
    }

    async function readPlist(t: TestContext, text: string): Promise<AppleProfile | null> {
      const python = requireClient(t, 'python3');
      if (python === null) return null;
      const folder = await ClientFolder.make(t);
      await writeFile(folder.path('profile'), text);
      const program = `
import base64, json, plistlib, sys
profile = plistlib.load(open(sys.argv[1], 'rb'))
print(json.dumps(profile, default=lambda data: 'base64:' + base64.b64encode(data).decode()))`;
      const { stdout } = await folder.must(python, '-c', program, 'profile');
      return JSON.parse(stdout.toString()) as AppleProfile;
    }

    test('apple: the profile is a property list, and what it says gives a certificate', async (t) => {
      const read = await readPlist(t, await profile('apple', 'mac-profile'));
      if (read === null) return;
      const payload = (type: string) =>
        read.PayloadContent.find((each) => each.PayloadType === type)!.PayloadContent;
      const scep = payload('com.apple.security.scep') as ScepPayload;
      const client = await ScepClient.at(scep.URL);
      const root = bytesOf(payload('com.apple.security.root'));
      // It comes with GetCACert, which the device compares.
      assert.deepEqual(bytesOf(scep.CAFingerprint), hash('sha1', client.cas.at(-1)!.der, 'buffer'));
      assert.deepEqual(root, Buffer.from(client.cas.at(-1)!.der));
      assert.deepEqual(
        [scep['Key Type'], scep.Keysize, scep.KeyIsExtractable, scep.AllowAllAppsAccess],
        ['RSA', 2048, false, false],
      );
      const request = new ScepRequest();
      for (const rdn of scep.Subject) {
        for (const [type, value] of rdn) request.subject(type, value);
      }
      const { dNSName, uniformResourceIdentifier } = scep.SubjectAltName;
      request.name('dns', dNSName).name('uri', uniformResourceIdentifier);
      const usage = scep['Key Usage'];
      request.keyUsage({ digitalSignature: (usage & 1) > 0, keyEncipherment: (usage & 4) > 0 });
      const certificate = await request.ask(client, scep.Challenge);
      assert.deepEqual(namesOf(certificate), wanted('mac-profile'));
    });

    test('windows: what the nodes of the CSP say gives a certificate', async () => {
      const text = await profile('windows', 'pc-profile');
      const node = (name: string) =>
        new RegExp(`/Install/${name}</LocURI></Target>(?:<Meta>.*</Meta>)?<Data>(.*)</Data>`).exec(text)?.[1];
      assert.match(text, /<Exec>.*\/Install\/Enroll<\/LocURI>.*<\/Exec>\n +<\/Atomic>/);
      const client = await ScepClient.at(node('ServerURL')!);
      const thumbprint = hash('sha1', client.cas.at(-1)!.der).toUpperCase();
      assert.deepEqual(
        [node('CAThumbprint'), node('KeyLength'), node('HashAlgorithm'), node('ValidPeriodUnits')],
        [thumbprint, '2048', 'SHA-2', '365'],
      );
      const request = new ScepRequest();
      for (const attribute of node('SubjectName')!.split(',')) {
        const [type, value] = attribute.split('=');
        request.subject(type!, value!);
      }
      for (const name of node('SubjectAlternativeNames')!.split(';')) {
        const [kind, value] = name.split('+');
        request.name(({ '2': 'email', '3': 'dns', '7': 'uri' } as const)[kind as '2' | '3' | '7'], value!);
      }
      const usage = Number(node('KeyUsage'));
      request.keyUsage({ digitalSignature: (usage & 0x80) > 0, keyEncipherment: (usage & 0x20) > 0 });
      request.extendedKeyUsage(node('EKUMapping')!.split('+'));
      const certificate = await request.ask(client, node('Challenge')!);
      assert.deepEqual(namesOf(certificate), wanted('pc-profile'));
    });
  });
});

function bytesOf(value: unknown): Buffer {
  assert.ok(typeof value === 'string' && value.startsWith('base64:'));
  return Buffer.from(value.slice('base64:'.length), 'base64');
}
