import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import path from 'node:path';
import { describe, test } from 'node:test';
import { anyPorts, initAuthority, sallyportHere, serveAuthority } from '../harness/authority.ts';
import { assertNowhere } from '../harness/canary.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ScepDevice } from '../harness/scep-device.ts';

const transactionId = 'serial number and owner of the device';

/** A transactionID is the client's own text, and its digest is found again by who guesses the text. */
describe('a device that asked by SCEP and waits', () => {
  const cleanup = suiteCleanup();

  test('is erased with the digest of the transactionID that its polls are found by', async () => {
    const files = await initAuthority(cleanup, anyPorts);
    const authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
    const asked = async (id: string, transaction: string) => {
      const device = await ScepDevice.make(authority, id, { approved: false });
      const answer = await device.enroll({ transactionId: transaction });
      assert.equal(answer.pkiStatus, 'pending', answer.text);
    };
    await asked('ida', transactionId);
    await asked('eva', 'of another');
    const nowhere = async (transaction: string) =>
      assertNowhere([hash('sha256', transaction, 'buffer')], {
        directory: path.join(files.directory, 'data'),
        faults: [],
        control: 'eva',
      });
    await assert.rejects(nowhere(transactionId), /a secret is in/);

    await authority.admin.client.perform('retireDevice', { id: 'ida' });
    const erased = await sallyportHere('device', 'erase', 'ida', '--config', files.configuration);
    assert.equal(erased.code, 0, erased.stderr);
    await nowhere(transactionId);
    await assert.rejects(nowhere('of another'), /a secret is in/);
    const verified = await sallyportHere('log', 'verify', '--json', '--config', files.configuration);
    assert.equal(verified.code, 0, verified.stdout);
  });
});
