import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DemoAuthority } from './demo-authority.ts';
import { deviceMaker } from './device.ts';
import { freePortBase } from './free-ports.ts';
import { heading, say, summarise, type Told } from './story.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });

const makeDevice = deviceMaker();
const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-demo-'));
let authority: DemoAuthority | null = null;
let code = 1;
try {
  heading('An authority, from nothing');
  authority = await DemoAuthority.start(path.join(folder, 'authority'), await freePortBase());
  const told = await tour(authority);
  code = (await summarise(authority, told)) ? 0 : 1;
  if (!values.once) await stayUp(authority);
} catch (error) {
  console.error(error);
} finally {
  await authority?.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(code);

/** Four devices, each with its own fate. */
async function tour(running: DemoAuthority): Promise<Told[]> {
  const device = (id: string) => makeDevice(path.join(folder, id), id, running);

  heading('The inventory: four devices');
  const approved = path.join(folder, 'approved.csv');
  const others = path.join(folder, 'others.csv');
  await writeFile(approved, 'id,class,owner,dns_name\nada-laptop,laptop,Ada,ada.corp.example\n');
  await writeFile(
    others,
    'id,class,owner\ngrace-laptop,laptop,Grace\nedsger-laptop,laptop,Edsger\nbarbara-laptop,attested-laptop,Barbara\n',
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

  return [enrolled, renewed, held, released, stolen, bare];
}

async function stayUp(running: DemoAuthority): Promise<void> {
  say(`
It stays up until Ctrl-C. In another terminal:

  ./sallyport --config ${running.configuration} device list
  ./sallyport --config ${running.configuration} log tail
  curl --cacert ${running.trust} ${running.est}/cacerts

  EST     ${running.est}
  public  ${running.publicUrl}/crl/issuing.crl
`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
