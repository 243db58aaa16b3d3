import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DnsServer } from '../test/harness/dns-server.ts';
import { freePort } from '../test/harness/free-port.ts';
import { TestCa } from '../test/harness/pki.ts';
import { AcmeServer } from './acme-server.ts';
import { enrollAttested, hasTpm, tpmKey } from './attested-device.ts';
import { DemoAuthority } from './demo-authority.ts';
import { deviceMaker } from './device.ts';
import { freePortBase } from './free-ports.ts';
import { ScepDevice } from './scep-device.ts';
import { heading, say, summarise, type Told } from './story.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });

const makeDevice = deviceMaker();
const attestationCa = TestCa.root('Demo attestation CA');
const ends: (() => unknown)[] = [];
const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-demo-'));
let authority: DemoAuthority | null = null;
let dns: DnsServer | null = null;
let code = 1;
try {
  heading('An authority, from nothing');
  dns = await DnsServer.start();
  const places = { resolver: dns.resolver, httpPort: await freePort(), attestationCa: attestationCa.pem };
  authority = await DemoAuthority.start(path.join(folder, 'authority'), await freePortBase(), places);
  const told = await tour(authority);
  code = (await summarise(authority, told)) ? 0 : 1;
  if (!values.once) await stayUp(authority);
} catch (error) {
  console.error(error);
} finally {
  await authority?.stop();
  for (const end of ends.toReversed()) await end();
  await dns?.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(code);

/** Devices, each with its own fate. */
async function tour(running: DemoAuthority): Promise<Told[]> {
  const device = (id: string) => makeDevice(path.join(folder, id), id, running);

  heading('The inventory: nine devices');
  const approved = path.join(folder, 'approved.csv');
  const others = path.join(folder, 'others.csv');
  await writeFile(
    approved,
    'id,class,owner,dns_name\nada-laptop,laptop,Ada,ada.corp.example\nalan-scanner,laptop,Alan,\n',
  );
  await writeFile(
    others,
    'id,class,owner\nedith-scanner,laptop,Edith\nhedy-scanner,laptop,Hedy\ngrace-laptop,laptop,Grace\nedsger-laptop,laptop,Edsger\nbarbara-laptop,attested-laptop,Barbara\nrosalind-laptop,attested-laptop,Rosalind\nweb-1,server,Margaret\n',
  );
  await running.sallyport('device', 'import', approved, '--approve-for', 'device');
  await running.sallyport('device', 'import', others);
  await running.sallyport('device', 'list');

  heading('1. Ada was approved with her import: one secret, one certificate');
  const ada = await device('ada-laptop');
  const enrolled = await ada.enroll(
    await running.secret('ada-laptop'),
    'ada-laptop enrolls with its secret',
    'issued',
  );
  heading('   and the certificate renews itself');
  const renewed = await ada.renew('ada-laptop renews with its certificate', 'issued');

  heading('2. Grace was not: the right secret is not enough for a first certificate');
  const grace = await device('grace-laptop');
  const secret = await running.secret('grace-laptop');
  const held = await grace.enroll(secret, 'grace-laptop enrolls with its secret', 'held');
  const [request] = (await running.json('request', 'list')) as { id: string }[];
  await running.sallyport('request', 'list');
  await running.sallyport('request', 'approve', request!.id);
  const released = await grace.enroll(secret, 'grace-laptop asks again, approved', 'issued');

  heading("3. Edsger's secret leaked, and a thief asks for another name with it");
  const thief = await makeDevice(path.join(folder, 'thief'), 'ceo-laptop', running);
  const stolen = await thief.enroll(
    await running.secret('edsger-laptop'),
    'a thief with the secret of edsger-laptop',
    'refused',
  );

  heading('4. Barbara must attest her key in hardware, and does not');
  const barbara = await device('barbara-laptop');
  const bare = await barbara.enroll(
    await running.secret('barbara-laptop'),
    'barbara-laptop without evidence',
    'refused',
  );

  return [
    enrolled,
    renewed,
    held,
    released,
    stolen,
    bare,
    ...(await tourOfScep(running)),
    ...(await tourOfAcme(running)),
    ...(await tourOfAttestation(running)),
  ];
}

/** The same by SCEP: the secret is the challengePassword, and who waits polls. */
async function tourOfScep(running: DemoAuthority): Promise<Told[]> {
  const device = (id: string, as = id) => ScepDevice.make(path.join(folder, id), as, running);

  heading('5. Alan speaks SCEP, and was approved with his import');
  const alan = await device('alan-scanner');
  const enrolled = await alan.enroll(
    await running.secret('alan-scanner'),
    'alan-scanner enrolls by SCEP',
    'issued',
  );
  const renewed = await alan.renew('alan-scanner renews by SCEP', 'issued');

  heading('6. Edith waits for an operator, and polls');
  const edith = await device('edith-scanner');
  const held = await edith.enroll(
    await running.secret('edith-scanner'),
    'edith-scanner enrolls by SCEP',
    'held',
  );
  const requests = (await running.json('request', 'list')) as { id: string }[];
  await running.sallyport('request', 'approve', requests[0]!.id);
  const released = await edith.poll('edith-scanner polls, approved', 'issued');

  heading("7. Hedy's challengePassword leaked, and a thief asks for another name with it");
  const thief = await device('scep-thief', 'ceo-laptop');
  const stolen = await thief.enroll(
    await running.secret('hedy-scanner'),
    'a thief with the challenge of hedy-scanner',
    'refused',
  );
  return [enrolled, renewed, held, released, stolen];
}

/** A server proves its names itself; what an operator gave its account bounds it for ever. */
async function tourOfAcme(running: DemoAuthority): Promise<Told[]> {
  heading('8. A web server orders its certificate by ACME, and proves its name');
  const web = await AcmeServer.make(path.join(folder, 'web-1'), 'web-1', '.shop.internal', running);
  for (const name of ['www.shop.internal', 'bank.internal']) dns?.addresses(name, '127.0.0.1');
  const enrolled = await web.order('www.shop.internal', 'web-1 orders www.shop.internal', 'issued');
  const renewed = await web.order('www.shop.internal', 'web-1 orders the same names again', 'issued');
  heading('9. Its account key is stolen, and the thief orders a name that it was not given');
  const stolen = await web.order('bank.internal', 'a thief with the account of web-1', 'rejected');
  return [enrolled, renewed, stolen];
}

/** Who has everything of a device but its TPM gets nothing; who has that needs no operator. */
async function tourOfAttestation(running: DemoAuthority): Promise<Told[]> {
  const cleanup = { after: (end: () => unknown) => ends.push(end) };
  const id = 'rosalind-laptop';
  heading(
    `10. Rosalind's laptop attests its key${hasTpm ? ', in a TPM that swtpm is' : ' (no swtpm here: the demo plays its TPM)'}`,
  );
  const key = await tpmKey(attestationCa, id, cleanup);
  const enrolled = await enrollAttested({ key, id, secret: await running.secret(id) }, running, {
    what: `${id} enrolls, attested`,
    expected: 'issued',
  });
  heading('11. A clone of it has its name and a secret, and a TPM of its own');
  const cloned = await tpmKey(attestationCa, 'some-other-laptop', cleanup);
  const refused = await enrollAttested({ key: cloned, id, secret: await running.secret(id) }, running, {
    what: `a clone of ${id}`,
    expected: 'refused',
  });
  return [enrolled, refused];
}

async function stayUp(running: DemoAuthority): Promise<void> {
  say(`
It stays up until Ctrl-C. In another terminal:

  ./sallyport --config ${running.configuration} device list
  ./sallyport --config ${running.configuration} log tail
  curl --cacert ${running.trust} ${running.est}/cacerts

  EST     ${running.est}
  SCEP    ${running.scep}
  ACME    ${running.acme}
  public  ${running.publicUrl}/crl/issuing.crl
`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
