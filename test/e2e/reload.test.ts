import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { derToPem, parseCertificate, pemToDer } from '#x509';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { logSize, entriesOf } from '../harness/entries.ts';
import { est } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { exchange } from '../harness/raw-connection.ts';
import { TestDevice } from '../harness/test-device.ts';

const day = 86_400_000;

/** SIGHUP to `sallyport serve`: what can be put in force is, and a file that cannot leaves the running one in force. */
describe('a reload', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  let initial: string;
  beforeEach(async () => {
    if (authority === undefined) {
      authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
      cleanup.after(() => authority.stop());
      initial = await readFile(authority.configuration, 'utf8');
    } else await reload(initial, /configuration read again/);
  });

  async function reload(yaml: string, said: RegExp): Promise<string> {
    await writeFile(authority.configuration, yaml);
    authority.process.kill('SIGHUP');
    return authority.said(said);
  }
  const changed = (from: string | RegExp, to: string) => {
    const yaml = initial.replace(from, to);
    assert.notEqual(yaml, initial);
    return yaml;
  };

  let devices = 0;
  const device = () => TestDevice.expected(authority, `laptop-${(devices += 1)}`);
  const validityOf = ({ certificate }: TestDevice) => {
    const { notBefore, notAfter } = parseCertificate(certificate!);
    return Math.round((notAfter - notBefore) / day);
  };

  test('puts a changed template in force for the next request, and says so', async () => {
    const [before, after] = [await device(), await device()];
    await before.enroll();
    assert.equal(validityOf(before), 365);
    const line = await reload(changed('validity: 365d', 'validity: 90d'), /read again/);
    assert.match(line, /configuration read again: templates\.device$/);
    await after.enroll();
    assert.equal(validityOf(after), 90);
  });

  test('puts an extension of a template in force, critical where the template says so', async () => {
    const extended = await device();
    const extensions = [
      { oid: '1.3.6.1.4.1.32473.24', critical: false, value: '3003020105' },
      { oid: '1.3.6.1.4.1.32473.7', critical: true, value: '0c0161' },
    ];
    await reload(
      changed('validity: 365d', `validity: 365d\n    extensions: ${JSON.stringify(extensions)}`),
      /read again/,
    );
    await extended.enroll();
    const found = parseCertificate(extended.certificate!).extensions.map((extension) => ({
      ...extension,
      value: extension.value.toHex(),
    }));
    for (const extension of extensions) {
      assert.deepEqual(
        found.find(({ oid }) => oid === extension.oid),
        extension,
      );
    }
  });

  test('puts a new template and its label in force', async () => {
    const copied = /^ {2}iot:\n(?: {4}.*\n)+/m.exec(initial)![0];
    const yaml = changed(copied, `${copied}${copied.replace('iot:', 'sensor:')}`)
      .replace('templates: [device, server, iot]', 'templates: [device, server, iot, sensor]')
      .replace('templates: [device, server, web]\n', 'templates: [device, server, web, sensor]\n');
    const url = `${authority.est}/sensor/cacerts`;
    assert.equal((await est({ url, trust: authority.trustPem })).status, 404);
    await reload(yaml, /read again: .*templates\.sensor/);
    assert.equal((await est({ url, trust: authority.trustPem })).status, 200);
    const sensor = await TestDevice.expected(authority, 'sensor-1', {
      deviceClass: 'server',
      template: 'sensor',
    });
    assert.equal((await sensor.enroll()).status, 200);
  });

  test('puts limits in force', async () => {
    const limited = await device();
    await limited.enroll();
    await reload(
      changed('device: { burst: 5, count: 10', 'device: { burst: 1, count: 1'),
      /read again: limits\.device$/,
    );
    await assertRefused(authority, await limited.renew(), 429, ['rate-device']);
  });

  test('puts the sources of an enroll listener in force', async () => {
    await reload(
      changed('sources: [127.0.0.0/8, "::1/128"]', 'sources: [127.0.0.9/32]'),
      /listeners\.enroll\.sources$/,
    );
    const answer = await est({ url: `${authority.est}/cacerts`, trust: authority.trustPem });
    await assertRefused(authority, answer, 403, ['segment-source']);
  });

  test('puts the sources of a public listener in force', async () => {
    const target = { url: authority.publicUrl, trust: authority.trustPem };
    const get = 'GET /crl/issuing.crl HTTP/1.1\r\nHost: x\r\n\r\n';
    assert.equal((await exchange(target, get))?.status, 200);
    await reload(
      changed('class: public\n', 'class: public\n    sources: [127.0.0.9/32]\n'),
      /listeners\.public\.sources$/,
    );
    assert.equal((await exchange(target, get))?.status, 403);
    assert.equal((await exchange({ ...target, localAddress: '127.0.0.9' }, get))?.status, 200);
  });

  test('that takes a class away stops its devices', async () => {
    const orphan = await TestDevice.expected(authority, 'iot-1', { deviceClass: 'iot', template: 'iot' });
    const iotClass = /^ {2}# Can prove nothing.*\n {2}iot:\n(?: {4}.*\n)+/m;
    await reload(changed(iotClass, ''), /read again: deviceClasses\.iot$/);
    // Of an unknown class nobody knows that it need not attest.
    await assertRefused(authority, await orphan.enroll(), 403, ['attestation', 'template-class']);
  });

  test('is in the log, with what changed', async () => {
    const from = await logSize(authority);
    await reload(changed('validity: 365d', 'validity: 30d'), /read again/);
    const [entry, ...more] = await entriesOf(authority, from);
    assert.deepEqual(
      [entry!['event'], (entry!['detail'] as { changed: unknown }).changed, more],
      ['reloaded', ['templates.device'], []],
    );
  });

  test('of a bad file says line and column, and leaves the running one in force', async () => {
    const from = await logSize(authority);
    const yaml = changed('validity: 365d', 'validity: 365 days').replace('burst: 600', 'burst: 1');
    const line = await reload(yaml, /stays as it was/);
    const at = yaml.split('\n').findIndex((text) => text.includes('365 days')) + 1;
    assert.match(line, new RegExp(`sallyport\\.yaml:${at}:\\d+`));
    const unharmed = await device();
    await unharmed.enroll();
    assert.equal(validityOf(unharmed), 365);
    assert.equal(
      (await entriesOf(authority, from)).some(({ event }) => event === 'reloaded'),
      false,
    );
  });

  test('of policies that would open the door is refused, and leaves the running ones in force', async () => {
    const file = `${authority.directory}/open.cedar`;
    await writeFile(file, '@id("everybody")\n@title("Everybody")\npermit (principal, action, resource);\n');
    const line = await reload(`${initial}\npolicy:\n  additional: [open.cedar]\n`, /stays as it was/);
    assert.match(line, /everybody is a permit/);
    assert.equal((await (await device()).enroll()).status, 200);
  });

  for (const [name, from, to, key] of [
    ['the name of the authority', /name: "Sallyport"/, 'name: "Other"', 'authority'],
    ['the floor of TLS', 'minimum: TLSv1.3', 'minimum: TLSv1.2', 'listeners.enroll.tls'],
    ['the CRL of an issuer', 'lifetime: 7d, refresh: 1d', 'lifetime: 8d, refresh: 1d', 'issuers.issuing'],
  ] as const) {
    test(`that changes ${name} names it, asks for a restart, and changes nothing else either`, async () => {
      const yaml = changed(from, to).replace('validity: 365d', 'validity: 30d');
      const line = await reload(yaml, /stays as it was/);
      assert.match(line, /a restart is needed to change/);
      assert.ok(line.includes(key), line);
      const unchanged = await device();
      await unchanged.enroll();
      assert.equal(validityOf(unchanged), 365);
    });
  }

  test('lets the requests under way end by what they began with', async () => {
    const held = await Promise.all(Array.from({ length: 5 }, () => device()));
    const asking = held.map((each) => each.enroll());
    await reload(changed('validity: 365d', 'validity: 90d'), /read again/);
    for (const answer of await Promise.all(asking)) assert.equal(answer.status, 200, answer.text);
    for (const each of held) assert.ok([365, 90].includes(validityOf(each)));
  });
});

describe('listener certificates', () => {
  const cleanup = suiteCleanup();
  test('are renewed on every listener, or on none where one does not fit its key', async () => {
    const files = await initAuthority(cleanup, (yaml) => {
      const enroll = /^ {2}enroll:\n(?: {4}.*\n)+/m.exec(yaml)![0];
      const second = enroll.replace('enroll:', 'second:').replace('pki/listener.pem', 'pki/second.pem');
      return anyPorts(yaml.replace(enroll, enroll + second));
    });
    const file = (name: string) => path.join(files.directory, name);
    await copyFile(file('pki/listener.pem'), file('pki/second.pem'));
    const authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
    const before = await servedCertificate(authority);
    const [issuing] = pemToDer(await readFile(file('pki/issuing.pem'), 'utf8'), 'CERTIFICATE');
    assert.notDeepEqual(before, issuing);

    const from = await logSize(authority);
    // The first listener's new certificate fits its key; the second's does not.
    await copyFile(file('pki/issuing.pem'), file('pki/listener.pem'));
    await copyFile(file('keys/issuing.key.pem'), file('keys/listener.key.pem'));
    await writeFile(file('pki/second.pem'), derToPem(before, 'CERTIFICATE'));
    authority.process.kill('SIGHUP');
    assert.match(
      await authority.said(/stays as it was/),
      /listener second cannot use its certificate and key/,
    );
    assert.deepEqual(await servedCertificate(authority), before);
    assert.equal(
      (await entriesOf(authority, from)).some(({ event }) => event === 'reloaded'),
      false,
    );

    // Half a copy: Node.js itself would take an empty file for none, and refuse every handshake from then on.
    await writeFile(file('pki/second.pem'), '');
    authority.process.kill('SIGHUP');
    assert.match(
      await authority.said(/stays as it was/),
      /listener second cannot use its certificate and key/,
    );

    await copyFile(file('pki/issuing.pem'), file('pki/second.pem'));
    authority.process.kill('SIGHUP');
    await authority.said(/configuration read again/);
    assert.deepEqual(await servedCertificate(authority), issuing);
  });
});

async function servedCertificate(authority: ServedAuthority): Promise<Uint8Array> {
  const { hostname: host, port } = new URL(authority.est);
  // It need not be a server's: here only what is served counts.
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new Uint8Array(raw);
}
