import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { GeneralName } from '#x509';
import {
  certify,
  certifyChain,
  enrollListener,
  type Holder,
  pinned,
  savePem,
  temporaryFolder,
} from './certificates.fixture.ts';
import { readEnrollmentServer } from './enrollment-server.ts';

const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const ip = (value: string): GeneralName => ({ kind: 'ip', value });

suite("whether the chain verifies the listener's certificate", () => {
  const look = async (
    t: Parameters<typeof temporaryFolder>[0],
    holders: readonly Holder[],
    sent: readonly Holder[],
    intermediates: readonly Holder[] = [],
  ) => {
    const folder = await temporaryFolder(t);
    const chain = await Promise.all(intermediates.map((one, at) => savePem(folder, `${at}.pem`, one)));
    const listener = enrollListener(await savePem(folder, 'listener.pem', ...sent), {}, { chain });
    const { certificate } = await readEnrollmentServer(listener, pinned('issuing', holders), []);
    return [certificate?.issued, certificate?.rootSuffices];
  };

  test('under it, with the issuing CA sent: the root alone suffices', async (t) => {
    const holders = await certifyChain('Root', 'Policy', 'Issuing');
    const leaf = await certify('listener', holders[0]!, { ca: false });
    assert.deepEqual(await look(t, holders, [leaf, holders[0]!], [holders[1]!]), ['under', true]);
  });

  test('under it, with nothing sent besides: only who has the whole chain verifies it', async (t) => {
    const holders = await certifyChain('Root', 'Issuing');
    const leaf = await certify('listener', holders[0]!, { ca: false });
    assert.deepEqual(await look(t, holders, [leaf]), ['under', false]);
  });

  test('under another CA of the same root, which is sent', async (t) => {
    const holders = await certifyChain('Root', 'Issuing');
    const servers = await certify('Servers', holders[1]!);
    const leaf = await certify('listener', servers, { ca: false });
    assert.deepEqual(await look(t, holders, [leaf, servers]), ['under', true]);
    assert.deepEqual(await look(t, holders, [leaf]), ['foreign', false]);
  });

  test("foreign: a public CA, even of our issuing CA's name, and one that is no CA", async (t) => {
    const holders = await certifyChain('Root', 'Issuing');
    const [publicCa] = await certifyChain('Root', 'Issuing');
    const leaf = await certify('listener', publicCa!, { ca: false });
    assert.deepEqual(await look(t, holders, [leaf, publicCa!]), ['foreign', false]);
    const device = await certify('Device', holders[0]!, { ca: false });
    const forged = await certify('listener', device, { ca: false });
    assert.deepEqual(await look(t, holders, [forged, device]), ['foreign', false]);
  });

  test('not on this machine: nobody can say', async () => {
    const chain = pinned('issuing', await certifyChain('Root', 'Issuing'));
    const server = await readEnrollmentServer(enrollListener('/no/such/file.pem'), chain, []);
    assert.equal(server.certificate, null);
    assert.equal(server.url, 'https://127.0.0.1:8443');
  });
});

suite('the URL has a name that the certificate has', () => {
  const cases: [address: string, names: GeneralName[], url: string][] = [
    ['127.0.0.1', [dns('localhost'), ip('127.0.0.1')], 'https://127.0.0.1:8443'],
    ['::1', [dns('localhost'), ip('::1')], 'https://[::1]:8443'],
    ['0.0.0.0', [dns('localhost'), dns('est.example.com')], 'https://est.example.com:8443'],
    ['10.0.0.5', [dns('*.example.com'), dns('est.example.com')], 'https://est.example.com:8443'],
    ['10.0.0.5', [dns('$(reboot)'), dns('est.example.com')], 'https://est.example.com:8443'],
    ['::', [], 'https://localhost:8443'],
    ['10.0.0.5', [], 'https://10.0.0.5:8443'],
  ];
  for (const [address, names, url] of cases) {
    test(`${address} with ${names.map(({ value }) => String(value)).join(', ') || 'no names'}`, async (t) => {
      const holders = await certifyChain('Root', 'Issuing');
      const file = await savePem(
        await temporaryFolder(t),
        'listener.pem',
        await certify('listener', holders[0]!, { ca: false, names }),
      );
      const server = await readEnrollmentServer(
        enrollListener(file, { address }),
        pinned('issuing', holders),
        [],
      );
      assert.equal(server.url, url);
    });
  }
});
