import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findClient, findProgram } from '../clients.ts';
import { command } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { tpmClients } from '../harness/software-tpm.ts';
import { type AttestedAuthority, attestedAuthority, TpmDevice } from '../harness/tpm-device.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';

const missing = tpmClients.map((client) => findClient(client)).find((found) => 'skip' in found);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;
const tpm2 = findProgram('tpm2');

/** What it takes of the TPM and of the disk it gives back: handles are few, and the folder has keys in it. */
describe('sallyport attest, interrupted', { skip, timeout: 180_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: AttestedAuthority;
  let device: TpmDevice;

  before(async () => {
    authority = await attestedAuthority(cleanup);
    const tpm = await (await TpmManufacturer.begin(cleanup)).make(cleanup);
    await authority.admin.device('ida', { deviceClass: 'attested-laptop' });
    device = await TpmDevice.make(cleanup, tpm, authority.attestationCa, 'ida');
    await mkdir(device.folder.path('temporary'));
    await mkdir(device.folder.path('bin'));
  });

  /** In a process group of its own, as a shell starts it. */
  const start = async (out: string) => {
    const { folder, tpm } = device;
    const secret = folder.path(`${out}.secret`);
    if (!existsSync(secret)) await writeFile(secret, await authority.admin.secret('ida'), { mode: 0o600 });
    const server = ['--est', `${authority.est}/device`, '--trust', authority.trust];
    const key = ['--attestation-key', tpm.context, '--attestation-certificate', 'ak.pem'];
    const own = ['--subject', 'ida', '--secret', secret, '--out', out];
    const child = spawn(command, ['attest', ...server, ...key, ...own], {
      cwd: folder.directory,
      env: {
        ...process.env,
        ...tpm.environment,
        TMPDIR: folder.path('temporary'),
        PATH: `${folder.path('bin')}:${process.env['PATH']}`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
    const closed = once(child, 'close');
    const ended = async () => {
      await closed;
      return { code: child.exitCode, said };
    };
    return {
      ended,
      async until(holds: (said: string) => boolean) {
        for (let tries = 0; tries < 800 && child.exitCode === null && !holds(said); tries += 1) {
          await sleep(25);
        }
        assert.ok(holds(said), said);
      },
      /** To the whole group, as a terminal does, and twice, as `timeout` does. */
      async interrupt(signal: NodeJS.Signals) {
        process.kill(-child.pid!, signal);
        child.kill(signal);
        return ended();
      },
    };
  };
  /** By the TPM, and of what this program may have put where temporary files are. */
  const kept = async () => [await device.tpm.persistent(), await readdir(device.folder.path('temporary'))];

  for (const tool of ['evictcontrol', 'send']) {
    test(`while tpm2_${tool} runs`, async () => {
      const [file, ran] = [device.folder.path('bin/tpm2'), device.folder.path(`${tool}-ran`)];
      const lines = [
        `'${tpm2}' "$@"`,
        'code=$?',
        `if [ "$1" = ${tool} ]; then touch '${ran}'; sleep 0.5; fi`,
        'exit $code',
      ];
      await writeFile(file, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
      const before = await kept();
      const running = await start(tool);
      await running.until(() => existsSync(ran));
      const { code, said } = await running.interrupt('SIGINT');
      assert.deepEqual(await kept(), before);
      assert.deepEqual([code, said], [2, 'sallyport: interrupted; the same command goes on\n']);
      await rm(file);
    });
  }

  test('while it waits for approval, and the same command goes on', async () => {
    const first = await (await start('first')).ended();
    assert.equal(first.code, 0, first.said);
    const before = await kept();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const running = await start('second');
      await running.until((said) => said.includes('It waits for approval'));
      const { code, said } = await running.interrupt(signal);
      assert.deepEqual(await kept(), before);
      assert.equal(code, 2, said);
      assert.match(said, /\nsallyport: interrupted; the same command goes on\n$/);
    }
    const { items } = await authority.admin.client.perform('listRequests', {});
    await authority.admin.client.perform('approveRequest', { id: items[0]!.id });
    const { code, said } = await (await start('second')).ended();
    assert.equal(code, 0, said);
    assert.deepEqual(await kept(), before);
  });
});
