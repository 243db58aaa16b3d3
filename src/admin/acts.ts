import type * as z from 'zod';
import { approveDevice } from './acts/approve-device.ts';
import { approveRequest } from './acts/approve-request.ts';
import { resumeDevice, retireDevice, suspendDevice } from './acts/change-device-state.ts';
import { createExternalAccountKey } from './acts/create-external-account-key.ts';
import { createMachine } from './acts/create-machine.ts';
import { createSecret } from './acts/create-secret.ts';
import { denyRequest } from './acts/deny-request.ts';
import { eraseDevice } from './acts/erase-device.ts';
import { importDevices } from './acts/import-devices.ts';
import { listAccounts } from './acts/list-accounts.ts';
import { listAttestationKeys } from './acts/list-attestation-keys.ts';
import { listCertificates } from './acts/list-certificates.ts';
import { listDevices } from './acts/list-devices.ts';
import { listEntries } from './acts/list-entries.ts';
import { listExternalAccountKeys } from './acts/list-external-account-keys.ts';
import { listMachines } from './acts/list-machines.ts';
import { listRequests } from './acts/list-requests.ts';
import { listSecrets } from './acts/list-secrets.ts';
import { pinCertificate } from './acts/pin-certificate.ts';
import { proveEntry } from './acts/prove-entry.ts';
import { revokeAccount } from './acts/revoke-account.ts';
import { revokeCertificate } from './acts/revoke-certificate.ts';
import { revokeMachine } from './acts/revoke-machine.ts';
import { revokeSecret } from './acts/revoke-secret.ts';
import { rotateMachine } from './acts/rotate-machine.ts';
import { showCertificate } from './acts/show-certificate.ts';
import { showCertificationRequest } from './acts/show-certification-request.ts';
import { showDevice } from './acts/show-device.ts';
import { showEntry } from './acts/show-entry.ts';
import { showPolicies } from './acts/show-policies.ts';
import { showRequest } from './acts/show-request.ts';
import { showStatus } from './acts/show-status.ts';
import { voidExternalAccountKey } from './acts/void-external-account-key.ts';

/** All that operators can do. What is not here cannot be done through the socket. */
export const acts = {
  importDevices,
  listDevices,
  showDevice,
  approveDevice,
  suspendDevice,
  resumeDevice,
  retireDevice,
  eraseDevice,
  createSecret,
  listSecrets,
  revokeSecret,
  createExternalAccountKey,
  listExternalAccountKeys,
  voidExternalAccountKey,
  listAccounts,
  revokeAccount,
  createMachine,
  listMachines,
  rotateMachine,
  pinCertificate,
  revokeMachine,
  listRequests,
  showRequest,
  approveRequest,
  denyRequest,
  listAttestationKeys,
  listCertificates,
  showCertificate,
  revokeCertificate,
  listEntries,
  showEntry,
  showCertificationRequest,
  proveEntry,
  showPolicies,
  showStatus,
} as const;

export type ActName = keyof typeof acts;
export type ActInput<Name extends ActName> = z.input<(typeof acts)[Name]['input']>;
export type ActResult<Name extends ActName> = Awaited<ReturnType<(typeof acts)[Name]['run']>>;
