import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { before, beforeEach, describe, mock, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseCertificate, parseCertificateList, pemToDer, verifyCertificateSignature } from '#x509';
import {
  anyPorts,
  type AuthorityFiles,
  authorityInProcess,
  initAuthority,
  sallyportHere,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf, logSize } from '../harness/entries.ts';
import { est } from '../harness/est-client.ts';
import {
  editConfiguration,
  handshake,
  issuedFor,
  loopback,
  replaceListenerKey,
} from '../harness/issued-listener.ts';
import { assertFound, verifyLog } from '../harness/log-findings.ts';
import { publicDocument } from '../harness/public-document.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { TamperedAuthority } from '../harness/tampering.ts';

const day = 86_400_000;

const issuedEntries = async (authority: ServedAuthority, from = 0) =>
  (await entriesOf(authority, from)).filter(({ event }) => event === 'listener.issued');

async function until<Value>(look: () => Promise<Value | null>): Promise<Value> {
  for (let tries = 0; tries < 200; tries += 1) {
    const value = await look();
    if (value !== null) return value;
    await setTimeout(50);
  }
  throw new Error('10 s were not enough');
}

/** An enroll listener whose certificate the authority issues and renews itself. */
describe('a listener with a certificate of its own authority', () => {
  const cleanup = suiteCleanup();
  let files: AuthorityFiles;
  let authority: ServedAuthority;
  let root: string;

  const start = async () => {
    const served = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => served.stop());
    return served;
  };
  const reload = async (said = /configuration read again/) => {
    authority.process.kill('SIGHUP');
    return authority.said(said);
  };
  const crl = async () =>
    parseCertificateList((await publicDocument(authority, '/crl/issuing.crl')).body).revoked;

  before(async () => {
    files = await initAuthority(cleanup, (yaml) => issuedFor(loopback)(anyPorts(yaml)));
    root = await readFile(path.join(files.directory, 'pki/root.pem'), 'utf8');
    authority = await start();
  });

  test('is verified with the root alone, by name and by address', async () => {
    const { certificate, sent, fault } = await handshake(authority, { ca: root });
    assert.equal(fault, null);
    assert.deepEqual(
      certificate.subjectAltName.map(({ value }) => value),
      ['localhost', '127.0.0.1', '::1'],
    );
    assert.equal(Math.round((certificate.notAfter - certificate.notBefore) / day), 90);
    const [issuing] = pemToDer(
      await readFile(path.join(files.directory, 'pki/issuing.pem'), 'utf8'),
      'CERTIFICATE',
    );
    assert.deepEqual(new Uint8Array(sent[1]!.der), new Uint8Array(issuing!));
    const answer = await est({ url: `${authority.est}/cacerts`, trust: root });
    assert.equal(answer.status, 200, answer.text);
  });

  test('has an entry in the log, and is kept over a restart', async () => {
    const { certificate } = await handshake(authority);
    const [entry, ...more] = await issuedEntries(authority);
    assert.deepEqual(more, []);
    const { notBefore, notAfter, serialNumber } = certificate;
    assert.deepEqual(entry!['detail'], {
      listener: 'enroll',
      issuer: 'issuing',
      serialNumber,
      sha256: hash('sha256', certificate.der),
      names: ['localhost', '127.0.0.1', '::1'],
      notBefore,
      notAfter,
      replaced: [],
    });
    await authority.stop();
    authority = await start();
    assert.equal((await handshake(authority)).certificate.serialNumber, serialNumber);
    assert.equal((await issuedEntries(authority)).length, 1);
  });

  test('has other names after a reload, by which alone ACME is spoken, and the connection that stands goes on', async () => {
    const { certificate: before } = await handshake(authority);
    const { origin } = new URL(authority.est);
    const directory = (host: string) => statusOf(`${origin}/acme/web/directory`, host, authority.trustPem);
    assert.deepEqual([await directory('localhost'), await directory('ca.example.org')], [200, 421]);
    const held = await RawConnection.open({ url: origin, trust: authority.trustPem });
    const from = await logSize(authority);

    await editConfiguration(files, issuedFor('127.0.0.1, CA.example.org'));
    assert.match(await reload(), /configuration read again: listeners\.enroll\.tls\.issued$/);
    const { certificate, fault } = await handshake(authority, { ca: root, servername: 'ca.example.org' });
    assert.equal(fault, null);
    assert.deepEqual(
      certificate.subjectAltName.map(({ value }) => value),
      ['127.0.0.1', 'ca.example.org'],
    );
    assert.deepEqual([await directory('localhost'), await directory('ca.example.org')], [421, 200]);
    held.write('GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal((await held.answer())?.status, 200);
    held.close();
    assert.equal((await issuedEntries(authority, from)).length, 1);

    // The names of before once more: their certificate is current still.
    await editConfiguration(files, issuedFor(loopback));
    await reload();
    assert.equal((await handshake(authority)).certificate.serialNumber, before.serialNumber);
    assert.deepEqual(await crl(), []);
  });

  test('gets one for another key with a reload, and those of the key before are on the CRL', async () => {
    const { certificate: before } = await handshake(authority);
    const from = await logSize(authority);
    await replaceListenerKey(files);
    await reload();
    const { certificate, fault } = await handshake(authority, { ca: root });
    assert.equal(fault, null);
    assert.notEqual(Buffer.compare(certificate.spki, before.spki), 0);
    const revoked = await until(async () => {
      const listed = await crl();
      return listed.length === 0 ? null : listed.map((each) => each.serialNumber);
    });
    assert.equal(revoked.length, 2);
    assert.ok(revoked.includes(before.serialNumber));
    const [entry] = await issuedEntries(authority, from);
    const { replaced } = entry!['detail'] as { replaced: { issuer: string; serialNumber: string }[] };
    assert.deepEqual(
      new Set(replaced.map(({ issuer, serialNumber }) => `${issuer} ${serialNumber}`)),
      new Set(revoked.map((each) => `issuing ${each}`)),
    );
  });

  test('gets one for another key with a restart as well, and the CRL has the one before from the start', async () => {
    const { certificate: before } = await handshake(authority);
    await authority.stop();
    await replaceListenerKey(files);
    authority = await start();
    const { certificate, fault } = await handshake(authority, { ca: root });
    assert.equal(fault, null);
    assert.notEqual(certificate.serialNumber, before.serialNumber);
    assert.ok((await crl()).some(({ serialNumber }) => serialNumber === before.serialNumber));
  });

  test('keeps what it has where a reload cannot be done: another key is not certified, and nothing is revoked', async () => {
    const { certificate: before } = await handshake(authority);
    const [size, listed] = [await logSize(authority), (await crl()).length];
    await replaceListenerKey(files);
    const initial = await readFile(files.configuration, 'utf8');
    for (const [edit, words] of [
      [issuedFor(loopback, 'isuing'), /no issuer "isuing"; did you mean "issuing"/],
      [issuedFor('"*.example.org"'), /no wildcard/],
      [(yaml: string) => yaml.replace('port: 0', 'port: 1'), /a restart is needed/],
    ] as const) {
      await editConfiguration(files, edit);
      assert.match(await reload(/stays as it was/), words);
      await editConfiguration(files, () => initial);
    }
    assert.equal((await handshake(authority)).certificate.serialNumber, before.serialNumber);
    assert.deepEqual([await logSize(authority), (await crl()).length], [size, listed]);
    await reload();
  });

  test('takes its place from one in a file by a reload, and gives it back', async () => {
    const other = await initAuthority(cleanup, anyPorts);
    const served = await serveAuthority(other, {}, { quiet: true });
    cleanup.after(() => served.stop());
    const first = (await handshake(served)).certificate;
    const initial = await readFile(other.configuration, 'utf8');
    await editConfiguration(other, issuedFor(loopback));
    served.process.kill('SIGHUP');
    await served.said(/read again: listeners\.enroll\.tls\.certificate, listeners\.enroll\.tls\.issued/);
    const second = (await handshake(served)).certificate;
    assert.notEqual(second.serialNumber, first.serialNumber);
    assert.equal((await issuedEntries(served)).length, 1);
    await editConfiguration(other, () => initial);
    served.process.kill('SIGHUP');
    await served.said(/read again/);
    assert.equal((await handshake(served)).certificate.serialNumber, first.serialNumber);
    await served.stop();
  });

  test('is named by trust export, and status has the job that renews it', async () => {
    const words = ['--json', '--config', files.configuration];
    const { stdout } = await sallyportHere('trust', 'export', ...words);
    const { listenerCertificate, rootSuffices } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([listenerCertificate, rootSuffices], ['under', true]);
    const status = JSON.parse((await sallyportHere('status', ...words)).stdout) as {
      jobs: { name: string }[];
    };
    assert.ok(status.jobs.some(({ name }) => name === 'listeners'));
  });

  describe('whose database was tampered with', () => {
    before(() => authority.stop());
    let tampered: TamperedAuthority;
    beforeEach(async () => {
      tampered = await TamperedAuthority.copyOf(files, cleanup);
    });

    test('verifies as long as it was not', async () => {
      const { code, findings } = await verifyLog(tampered);
      assert.deepEqual({ code, findings }, { code: 0, findings: [] });
    });

    test('is found out where a revoked one is taken off the CRL', async () => {
      tampered.write((database) =>
        database.exec(`update listener_certificate set revoked_at = null, revocation_reason = null
          where not_after = (select min(not_after) from listener_certificate where revoked_at is not null)`),
      );
      const { code, findings } = await verifyLog(tampered);
      assert.equal(code, 5);
      assert.match(findings[0]!.message, /of a listener, .* was replaced, and is not revoked in the store/);
    });

    test('is found out where one is taken away, and where one is there that nobody issued', async () => {
      const index = tampered.indexOf(({ event }) => event === 'listener.issued');
      const first = tampered.write((database) => {
        const rows = database.prepare('select serial_number, not_after from listener_certificate').all();
        return rows.toSorted((a, b) => Number(a['not_after']) - Number(b['not_after']))[0]![
          'serial_number'
        ] as string;
      });
      tampered.write((database) =>
        database
          .prepare('update listener_certificate set serial_number = ? where serial_number = ?')
          .run('0a', first),
      );
      await assertFound(tampered, [
        [null, /serial number 0a of issuing, is in the store, and its issuance is not in the log/],
        [index, /was issued, and is not in the store/],
      ]);
    });
  });
});

describe('a listener with a certificate that ends', () => {
  const cleanup = suiteCleanup();

  test('gives new handshakes the next one while its jobs run, and a connection that stands goes on', async () => {
    // The jobs' interval is a minute, for which nobody waits here.
    mock.timers.enable({ apis: ['setInterval'] });
    cleanup.after(() => mock.timers.reset());
    const authority = await authorityInProcess(cleanup, issuedFor(loopback));
    const { certificate: first } = await handshake(authority);
    const { origin } = new URL(authority.est);
    authority.advance(59 * day);
    mock.timers.tick(60_000);
    await setTimeout(300);
    assert.equal((await handshake(authority)).certificate.serialNumber, first.serialNumber);

    const held = await RawConnection.open({ url: origin, trust: authority.trustPem });
    const ask = async () => {
      held.write('GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return (await held.answer())?.status;
    };
    assert.equal(await ask(), 200);
    authority.advance(2 * day);
    mock.timers.tick(60_000);
    const second = await until(async () => {
      const { certificate } = await handshake(authority);
      return certificate.serialNumber === first.serialNumber ? null : certificate;
    });
    assert.equal(await ask(), 200);
    held.close();
    assert.deepEqual(second.subjectAltName, first.subjectAltName);
    assert.ok(second.notAfter > first.notAfter + 60 * day);
    const [issuing] = pemToDer(
      await readFile(path.join(authority.directory, 'pki/issuing.pem'), 'utf8'),
      'CERTIFICATE',
    );
    assert.ok(verifyCertificateSignature(second, parseCertificate(issuing!).spki));
    assert.deepEqual(authority.faults, []);
    await authority.running.close();
    const { code, findings } = await verifyLog(authority);
    assert.deepEqual({ code, findings }, { code: 0, findings: [] });
  });
});

/** Whatever name the certificate has. */
async function statusOf(url: string, host: string, trust: string): Promise<number> {
  const request = https.get(url, {
    ca: trust,
    agent: false,
    headers: { Host: host },
    checkServerIdentity: () => undefined,
  });
  const [response] = (await once(request, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}
