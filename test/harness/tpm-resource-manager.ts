import type { TestContext } from 'node:test';
import { requireClient } from '../clients.ts';
import { ClientFolder } from './client-files.ts';
import { runDaemon } from './daemon.ts';
import type { SoftwareTpm } from './software-tpm.ts';

/** Shares a TPM among programs, as Linux does at /dev/tpmrm0. Where it is found; null: the test is skipped. */
export async function resourceManager(
  t: TestContext,
  tpm: SoftwareTpm,
): Promise<Record<string, string> | null> {
  const [abrmd, dbus] = [requireClient(t, 'tpm2-abrmd'), requireClient(t, 'dbus-daemon')];
  if (abrmd === null || dbus === null) return null;
  const folder = await ClientFolder.make(t);
  const environment = {
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder.path('bus')}`,
    TPM2TOOLS_TCTI: 'tabrmd:bus_type=session',
  };
  const words = ['--session', '--nofork', `--address=${environment.DBUS_SESSION_BUS_ADDRESS}`];
  const bus = runDaemon(t, dbus, [...words, '--print-address'], { environment });
  await bus.until('it listens', async () => bus.said !== '');
  const tcti = tpm.environment.TPM2TOOLS_TCTI;
  const manager = runDaemon(t, abrmd, ['--session', '--allow-root', `--tcti=${tcti}`], { environment });
  await manager.until('the TPM answers', async () => {
    const { code } = await folder.runWith({ environment }, 'tpm2', 'getrandom', '8');
    return code === 0;
  });
  return environment;
}
